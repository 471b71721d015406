package io.tidemill.trainer.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.trainer.data.TrainingSequence;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BasePretrainingTest {

    private static final ModelConfig TINY =
            new ModelConfig(61, 32, 64, 2, 4, 2, 8, 32, 10_000, 1e-5, true, 0.05, 0, List.of(0));
    private static final PretrainSettings SETTINGS =
            new PretrainSettings(2, 2, 16, 1e-2, 4, 1.0, 0.1, 1, ComputeType.FLOAT32, 7, Duration.ZERO);

    @Test
    void learnsATextThatRepeats(@TempDir Path work) {
        BasePretraining pretraining = new BasePretraining(TINY, SETTINGS, text(), work, System::nanoTime);
        try (LanguageModel untrained = LanguageModel.random(TINY, SETTINGS.seed(), ComputeType.FLOAT32);
                LanguageModel trained = pretraining.run(report -> {}, preview -> {})) {
            double before = pretraining.evaluate(untrained).natsPerToken();
            assertThat(pretraining.evaluate(trained).natsPerToken()).isLessThan(0.7 * before);
        }
    }

    @Test
    void anInterruptedRunEndsWithTheSameWeightsAsAStraightOne(@TempDir Path straight, @TempDir Path broken) {
        String expected = digestOf(new BasePretraining(TINY, SETTINGS, text(), straight, System::nanoTime));

        int[] saves = {0};
        assertThatThrownBy(() -> new BasePretraining(TINY, SETTINGS, text(), broken, System::nanoTime)
                        .run(report -> {}, preview -> {
                            if (++saves[0] == 11) {
                                throw new IllegalStateException("power cut");
                            }
                        }))
                .hasMessage("power cut");

        assertThat(digestOf(new BasePretraining(TINY, SETTINGS, text(), broken, System::nanoTime)))
                .isEqualTo(expected);
    }

    private static String digestOf(BasePretraining pretraining) {
        try (LanguageModel model = pretraining.run(report -> {}, preview -> {})) {
            return model.digest();
        }
    }

    /** Counting upwards by a random stride: easy to learn, impossible to know beforehand. */
    private static PretrainText text() {
        Random random = new Random(3);
        List<TrainingSequence> training = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            training.add(TrainingSequence.of("document-" + i, counting(random)));
        }
        return new PretrainText(training, List.of(counting(random), counting(random)), 66);
    }

    private static int[] counting(Random random) {
        int first = random.nextInt(TINY.vocabularySize());
        int[] ids = new int[33];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (first + 3 * i) % TINY.vocabularySize();
        }
        return ids;
    }
}
