package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our arithmetic against torch 2.13 and transformers 5.18: a tied and an untied model, grouped queries in both. */
class AgainstTransformersTest {
    private static final Offset<Double> CLOSE = within(1e-4);

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tied", "untied"})
    void logitsAreThoseOfTransformers(String name) {
        JsonNode expected = Fixtures.expected(name);
        try (LanguageModel model = load(name)) {
            float[][] logits = model.logits(Fixtures.ints(expected.get("ids").get(0)));
            for (int t = 0; t < logits.length; t++) {
                assertClose(logits[t], expected.get("logits").get(t), "logits at position " + t);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tied", "untied"})
    void lossAndGradientsAreThoseOfTorch(String name) {
        JsonNode expected = Fixtures.expected(name);
        PackedBatch batch = Fixtures.batch(expected);
        try (LanguageModel model = load(name);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            double loss = trainable.accumulate(batch, batch.lossTokens());
            assertThat(loss).isCloseTo(expected.get("loss").asDouble(), CLOSE);
            assertGradients(trainable, expected.get("gradients"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tied", "untied"})
    void twoMicroBatchesGiveTheGradientOfOneBatch(String name) {
        JsonNode expected = Fixtures.expected(name);
        PackedBatch whole = Fixtures.batch(expected);
        try (LanguageModel model = load(name);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            double loss = 0;
            for (int row = 0; row < whole.rows(); row++) {
                PackedBatch part = new PackedBatch(
                        new int[][] {whole.ids()[row]},
                        new int[][] {whole.targets()[row]},
                        new int[][] {whole.segments()[row]});
                loss += trainable.accumulate(part, whole.lossTokens());
            }
            assertThat(loss).isCloseTo(expected.get("loss").asDouble(), CLOSE);
            assertGradients(trainable, expected.get("gradients"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tied", "untied"})
    void preferenceLossAndGradientsAreThoseWorkedOutInTorch(String name) {
        JsonNode expected = Fixtures.expected(name).get("preference");
        try (LanguageModel model = load(name);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            DpoResult result = trainable.accumulate(
                    Fixtures.pairs(expected),
                    expected.get("beta").asDouble(),
                    expected.get("weightOfStep").asDouble(),
                    expected.get("supervised").asDouble());
            assertThat(result.loss()).isCloseTo(expected.get("loss").asDouble(), CLOSE);
            JsonNode rewards = expected.get("rewards");
            double chosen = (rewards.at("/0/0").asDouble() + rewards.at("/1/0").asDouble()) / 2;
            double rejected =
                    (rewards.at("/0/1").asDouble() + rewards.at("/1/1").asDouble()) / 2;
            assertThat(result.chosenReward()).isCloseTo(chosen, CLOSE);
            assertThat(result.rejectedReward()).isCloseTo(rejected, CLOSE);
            double right = 0;
            for (JsonNode margin : expected.get("margins")) {
                right += margin.asDouble() > 0 ? 0.5 : 0;
            }
            assertThat(result.accuracy()).isEqualTo(right);
            assertGradients(trainable, expected.get("gradients"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tied", "untied"})
    void twentyStepsOfAdamWLoseWhatTorchLoses(String name) {
        JsonNode expected = Fixtures.expected(name);
        JsonNode training = expected.get("training");
        PackedBatch batch = Fixtures.batch(expected);
        try (LanguageModel model = load(name);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            for (int step = 0; step < 20; step++) {
                double loss = trainable.accumulate(batch, batch.lossTokens());
                double norm = trainable.clip(training.get("maximumNorm").asDouble());
                trainable.update(training.get("learningRate").asDouble());
                assertThat(loss)
                        .as("loss of step " + step)
                        .isCloseTo(training.at("/losses/" + step).asDouble(), CLOSE);
                assertThat(norm)
                        .as("norm of step " + step)
                        .isCloseTo(training.at("/norms/" + step).asDouble(), within(1e-3));
            }
            assertThat(trainable.steps()).isEqualTo(20);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tied", "untied"})
    void theGreedyContinuationIsThatOfTransformers(String name) {
        JsonNode greedy = Fixtures.expected(name).get("greedy");
        int[] tokens = Fixtures.ints(greedy.get("tokens"));
        try (LanguageModel model = load(name)) {
            Generation made = new Generator(model)
                    .generate(
                            Fixtures.ints(greedy.get("prompt")),
                            Sampling.greedy(tokens.length, Set.of()),
                            (token, logProbability) -> true);
            assertThat(made.tokens()).containsExactly(tokens);
            assertThat(made.reason()).isEqualTo(FinishReason.LENGTH);
        }
    }

    private static LanguageModel load(String name) {
        return LanguageModel.load(Fixtures.directory(name), ComputeType.FLOAT32);
    }

    private static void assertGradients(TrainableModel trainable, JsonNode expected) {
        for (Map.Entry<String, JsonNode> probe : expected.get("probes").properties()) {
            assertClose(trainable.gradient(probe.getKey()), probe.getValue(), "gradient of " + probe.getKey());
        }
        assertThat(trainable.clip(1e9))
                .isCloseTo(
                        expected.get("norm").asDouble(),
                        within(1e-4 * expected.get("norm").asDouble() + 1e-5));
    }

    private static void assertClose(float[] found, JsonNode expected, String what) {
        for (int i = 0; i < expected.size(); i++) {
            assertThat((double) found[i])
                    .as(what + "[" + i + "]")
                    .isCloseTo(expected.get(i).asDouble(), CLOSE);
        }
    }
}
