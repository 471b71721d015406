package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingNoiseTest {
    private static final ModelConfig TINY = Fixtures.TINY;

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    /** Two examples of 40 and 10 tokens and 14 of padding: ±5 / √(40·32) and ±5 / √(10·32), mean square a third of that². */
    @Test
    void theNoiseOfAnExampleIsAsLargeAsThePaperSays() {
        int[] first = new int[40];
        int[] second = new int[10];
        float[] noise = new EmbeddingNoise(5, 7).of(TrainingTest.pack(64, first, second), 32, 3, 0);
        assertUniform(Arrays.copyOfRange(noise, 0, 40 * 32), 5 / Math.sqrt(40 * 32));
        assertUniform(Arrays.copyOfRange(noise, 40 * 32, 50 * 32), 5 / Math.sqrt(10 * 32));
        assertThat(Arrays.copyOfRange(noise, 50 * 32, 64 * 32)).containsOnly(0);
    }

    private static void assertUniform(float[] noise, double most) {
        double mean = 0;
        double square = 0;
        for (float value : noise) {
            assertThat(Math.abs((double) value)).isLessThanOrEqualTo(most);
            mean += value / noise.length;
            square += (double) value * value / noise.length;
        }
        double ofMean = 4 * most / Math.sqrt(3 * noise.length); // four standard deviations
        assertThat(mean).isCloseTo(0, within(ofMean));
        assertThat(square).isCloseTo(most * most / 3, within(0.15 * most * most));
    }

    @Test
    void seedStepAndCallAllMatter() {
        PackedBatch batch = TrainingTest.pack(8, new int[8]);
        float[] noise = new EmbeddingNoise(5, 7).of(batch, 32, 3, 1);
        assertThat(new EmbeddingNoise(5, 7).of(batch, 32, 3, 1)).isEqualTo(noise);
        for (float[] other : List.of(
                new EmbeddingNoise(5, 8).of(batch, 32, 3, 1),
                new EmbeddingNoise(5, 7).of(batch, 32, 4, 1),
                new EmbeddingNoise(5, 7).of(batch, 32, 3, 2),
                new EmbeddingNoise(5, 7).of(batch, 32, 4, 0))) {
            int same = 0;
            for (int i = 0; i < noise.length; i++) {
                same += other[i] == noise[i] ? 1 : 0;
            }
            assertThat(same).isLessThan(3);
        }
        assertThatThrownBy(() -> new EmbeddingNoise(-1, 7)).hasMessageContaining("-1");
    }

    /** Every token is another one and the head is not the embedding: noise is then a change of the embedding's rows. */
    @Test
    void learningWithNoiseIsLearningWithNoisyEmbeddings() {
        ModelConfig untied = new ModelConfig(61, 32, 48, 2, 4, 2, 8, 64, 10_000, 1e-5, false, 0.2, 1, List.of(2));
        int[] ids = {5, 9, 13, 40, 17, 18, 20, 33, 8};
        PackedBatch batch = TrainingTest.pack(12, ids);
        float[] noise = new EmbeddingNoise(8, 7).of(batch, 32, 0, 0);
        try (LanguageModel model = LanguageModel.random(untied, 3, ComputeType.FLOAT32);
                LanguageModel changed = model.copy();
                TrainableModel noisy = TrainableModel.from(model, AdamWSettings.defaults())) {
            long table = new Layout(untied).slot("model.embed_tokens.weight").at();
            for (int t = 0; t < ids.length; t++) {
                float[] row =
                        Arrays.copyOfRange(model.weights("model.embed_tokens.weight"), 32 * ids[t], 32 * (ids[t] + 1));
                for (int i = 0; i < 32; i++) {
                    row[i] += noise[32 * t + i];
                }
                changed.master().write(table + 32L * ids[t], row, 32);
            }
            try (TrainableModel plain = TrainableModel.from(changed, AdamWSettings.defaults());
                    TrainableModel silent = TrainableModel.from(model, AdamWSettings.defaults())) {
                noisy.noiseEmbeddings(8, 7);
                double loss = noisy.accumulate(batch, 8);
                assertThat(loss).isCloseTo(plain.accumulate(batch, 8), within(1e-6));
                assertThat(loss).isNotCloseTo(silent.accumulate(batch, 8), within(1e-3));
                AnswersTest.assertSameGradients(noisy, plain, new Layout(untied));
            }
        }
    }

    @Test
    void whatIsReadIsReadWithoutNoiseAndNoneIsNone() {
        PackedBatch batch = Fixtures.randomBatch(TINY, 1, 2, 12);
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableModel noisy = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel plain = TrainableModel.from(model, AdamWSettings.defaults())) {
            noisy.noiseEmbeddings(10, 7);
            assertThat(noisy.logProbabilities(AnswersTest.TEXTS))
                    .isDeepEqualTo(plain.logProbabilities(AnswersTest.TEXTS));
            AnswerObjective sum = (which, call) -> call.logProbability(0, 0);
            assertThat(noisy.accumulate(AnswersTest.TEXTS, sum)).isEqualTo(plain.accumulate(AnswersTest.TEXTS, sum));
            assertThat(noisy.accumulate(batch, 22)).isNotEqualTo(plain.accumulate(batch, 22));
            noisy.noiseEmbeddings(0, 7);
            assertThat(noisy.accumulate(batch, 22)).isEqualTo(plain.accumulate(batch, 22));
        }
    }

    @Test
    void aResumedRunDrawsTheSameNoise(@TempDir Path directory) {
        Path file = directory.resolve("state.safetensors");
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.best());
                TrainableModel straight = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableAdapter adapter =
                        TrainableAdapter.from(model, LoraConfig.of(2, 4), 1, AdamWSettings.defaults());
                TrainableModel resumed = TrainableModel.from(model, AdamWSettings.defaults())) {
            List<Double> losses = train(straight, 6, null);
            train(resumed, 3, file);
            train(resumed, 1, null); // beyond what was saved
            resumed.accumulate(Fixtures.randomBatch(TINY, 9, 2, 12), 22); // and in the middle of a step
            resumed.loadState(file);
            assertThat(train(resumed, 3, null)).isEqualTo(losses.subList(6, 12));
            assertThat(train(adapter, 2, null)).doesNotHaveDuplicates();
        }
    }

    /** The same batch twice a step, so that only noise tells the calls of a step apart. */
    private static List<Double> train(DecoderLearner learner, int steps, Path saveTo) {
        PackedBatch batch = Fixtures.randomBatch(TINY, 1, 2, 12);
        List<Double> losses = new ArrayList<>();
        learner.noiseEmbeddings(10, 7);
        for (int step = 0; step < steps; step++) {
            losses.add(learner.accumulate(batch, 44));
            losses.add(learner.accumulate(batch, 44));
            learner.update(1e-2);
        }
        if (saveTo != null) {
            learner.saveState(saveTo);
        }
        return losses;
    }
}
