package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our arithmetic against torch 2.13 and transformers 5.18. Together the families have tied and untied heads, grouped
 * queries, every kind of rotary scaling, windows shorter than the texts in all, some or no layers, and every bias.
 */
class AgainstTransformersTest {
    private static final Offset<Double> CLOSE = within(1e-4);
    private static final double NARROW = 2e-2; // relative, of what bfloat16 computes
    private static final List<String> FAMILIES =
            List.of("llama-biases", "llama-linear", "llama-yarn", "mistral", "qwen2", "qwen3", "qwen3-biases", "gpt2");

    static Stream<String> families() {
        return FAMILIES.stream();
    }

    static Stream<String> models() {
        return Stream.concat(Stream.of("tied", "untied"), families());
    }

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    @ParameterizedTest
    @MethodSource("models")
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
    @MethodSource("models")
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
    @MethodSource("models")
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
    @MethodSource("models")
    void preferenceLossAndGradientsAreThoseWorkedOutInTorch(String name) {
        JsonNode expected = Fixtures.expected(name).get("preference");
        Fixtures.Dpo dpo = Fixtures.dpo(expected);
        try (LanguageModel model = load(name);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            double loss = trainable.accumulate(dpo.texts(), dpo);
            assertThat(loss).isCloseTo(expected.get("loss").asDouble(), CLOSE);
            for (int p = 0; p < dpo.texts().size(); p++) {
                double[] rewards = Fixtures.doubles(expected.at("/rewards/" + p));
                assertThat(dpo.rewards()[p]).containsExactly(rewards, CLOSE);
            }
            assertGradients(trainable, expected.get("gradients"));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
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
    @MethodSource("models")
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

    @ParameterizedTest
    @MethodSource("families")
    void fiftyStepsOfAdamWFollowTheCurveOfTorch(String name) throws IOException {
        List<String> curve = Files.readAllLines(Fixtures.directory(name).resolve("adamw.losses"));
        assertThat(curve).hasSize(50);
        try (LanguageModel model = load(name);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            for (int step = 0; step < curve.size(); step++) {
                PackedBatch batch = batchOfStep(step, model.config().vocabularySize());
                double loss = trainable.accumulate(batch, batch.lossTokens());
                trainable.clip(1);
                trainable.update(2e-3);
                double expected = Double.parseDouble(curve.get(step).split(" ")[0]);
                assertThat(loss).as("loss of step " + step).isCloseTo(expected, within(1e-4 * expected));
            }
        }
    }

    /** As {@code batch(step)} of {@code make_family_fixtures.py}. */
    static PackedBatch batchOfStep(int step, int vocabulary) {
        int[][] ids = new int[4][24];
        int[][] targets = new int[4][24];
        int[][] segments = new int[4][24];
        for (int row = 0; row < 4; row++) {
            for (int t = 0; t < 24; t++) {
                ids[row][t] = 3 + (5 * t + 7 * row + 11 * step + t * t * (row + 1)) % (vocabulary - 3);
            }
            System.arraycopy(ids[row], 1, targets[row], 0, 23);
            targets[row][23] = PackedBatch.IGNORED;
            Arrays.fill(segments[row], 1);
        }
        return new PackedBatch(ids, targets, segments);
    }

    @ParameterizedTest
    @MethodSource("models")
    void bfloat16IsNearTheFloat32OfTransformers(String name) {
        JsonNode expected = Fixtures.expected(name);
        PackedBatch batch = Fixtures.batch(expected);
        try (LanguageModel model = LanguageModel.load(Fixtures.directory(name), ComputeType.BFLOAT16);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            float[][] logits = model.logits(Fixtures.ints(expected.get("ids").get(0)));
            double difference = 0;
            double size = 0;
            for (int t = 0; t < logits.length; t++) {
                for (int v = 0; v < logits[t].length; v++) {
                    double theirs = expected.get("logits").get(t).get(v).asDouble();
                    difference += Math.pow(logits[t][v] - theirs, 2);
                    size += theirs * theirs;
                }
            }
            assertThat(Math.sqrt(difference / size)).as("logits").isLessThan(NARROW);
            double loss = expected.get("loss").asDouble();
            assertThat(trainable.accumulate(batch, batch.lossTokens())).isCloseTo(loss, within(NARROW * loss));
            double norm = expected.at("/gradients/norm").asDouble();
            assertThat(trainable.clip(1e9)).isCloseTo(norm, within(NARROW * norm));
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void aFamilyIsWrittenAsItWasRead(String name, @TempDir Path directory) throws IOException {
        Path theirs = Fixtures.directory(name);
        try (LanguageModel model = load(name)) {
            assertThat(model.config().parameterCount())
                    .isEqualTo(Fixtures.expected(name).get("parameters").asLong());
            model.save(directory, WeightType.FLOAT32);
            assertThat(ModelConfig.read(directory.resolve("config.json"))).isEqualTo(model.config());
        }
        try (Safetensors.Reader before = Safetensors.open(theirs);
                Safetensors.Reader after = Safetensors.open(directory)) {
            assertThat(after.entries()).hasSameSizeAs(before.entries());
            for (Safetensors.Entry entry : before.entries()) {
                assertThat(after.floats(entry.name())).as(entry.name()).containsExactly(before.floats(entry.name()));
            }
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
