package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our adapters against PEFT 0.21, from the files that {@code bench/peers/make_lora_fixtures.py} wrote with it. Together
 * they have every family, all and some linear layers, ranks and alphas of single layers, and both kinds of scale.
 */
class AgainstPeftTest {
    private static final Offset<Double> CLOSE = within(1e-4);
    private static final double NARROW = 2e-2; // relative, of what bfloat16 computes

    static Stream<String> adapters() {
        return Stream.of(
                "llama",
                "llama-rslora-qv",
                "mistral",
                "qwen2-rslora",
                "qwen3",
                "qwen3-rslora-part",
                "gpt2",
                "gpt2-rslora-part");
    }

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void logitsAreThoseOfPeftApartAndMerged(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name);
        int[] ids = Fixtures.ints(expected.get("ids").get(0));
        try (LanguageModel base = base(expected, ComputeType.FLOAT32);
                LoraAdapter adapter = adapter(name, base);
                LanguageModel merged = adapter.mergedInto(base)) {
            assertThat(adapter.parameterCount())
                    .isEqualTo(expected.get("parameters").asLong());
            float[][] apart = adapter.logits(base, ids);
            float[][] together = merged.logits(ids);
            for (int t = 0; t < ids.length; t++) {
                assertClose(apart[t], expected.get("logits").get(t), "logits at position " + t);
                assertClose(together[t], expected.get("logits").get(t), "merged logits at position " + t);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void lossAndGradientsOfAAndBAreThoseOfPeft(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name);
        PackedBatch batch = Fixtures.batch(expected);
        try (LanguageModel base = base(expected, ComputeType.FLOAT32);
                LoraAdapter adapter = adapter(name, base);
                TrainableAdapter trainable = TrainableAdapter.from(base, adapter, AdamWSettings.defaults())) {
            double loss = trainable.accumulate(batch, batch.lossTokens());
            assertThat(loss).isCloseTo(expected.get("loss").asDouble(), CLOSE);
            assertGradients(trainable, expected.get("gradients"));
        }
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void preferenceLossAndGradientsAreThoseWorkedOutWithPeft(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name).get("preference");
        Fixtures.Dpo dpo = Fixtures.dpo(expected);
        try (LanguageModel base = base(Fixtures.expected("lora/" + name), ComputeType.FLOAT32);
                LoraAdapter adapter = adapter(name, base);
                TrainableAdapter trainable = TrainableAdapter.from(base, adapter, AdamWSettings.defaults())) {
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
    @MethodSource("adapters")
    void fiftyStepsOfAdamWFollowTheCurveOfPeft(String name) throws IOException {
        List<String> curve =
                Files.readAllLines(Fixtures.directory("lora/" + name).resolve("adamw.losses"));
        assertThat(curve).hasSize(50);
        try (LanguageModel base = base(Fixtures.expected("lora/" + name), ComputeType.FLOAT32);
                LoraAdapter adapter = adapter(name, base);
                TrainableAdapter trainable = TrainableAdapter.from(base, adapter, AdamWSettings.defaults())) {
            String before = base.digest();
            for (int step = 0; step < curve.size(); step++) {
                PackedBatch batch =
                        AgainstTransformersTest.batchOfStep(step, base.config().vocabularySize());
                double loss = trainable.accumulate(batch, batch.lossTokens());
                trainable.clip(1);
                trainable.update(2e-3);
                double expected = Double.parseDouble(curve.get(step).split(" ")[0]);
                assertThat(loss).as("loss of step " + step).isCloseTo(expected, within(1e-4 * expected));
            }
            assertThat(base.digest()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void theGreedyContinuationOfTheMergedModelIsThatOfPeft(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name);
        int[] tokens = Fixtures.ints(expected.at("/greedy/tokens"));
        try (LanguageModel base = base(expected, ComputeType.FLOAT32);
                LoraAdapter adapter = adapter(name, base);
                LanguageModel merged = adapter.mergedInto(base)) {
            Generation made = new Generator(merged)
                    .generate(
                            Fixtures.ints(expected.at("/greedy/prompt")),
                            Sampling.greedy(tokens.length, java.util.Set.of()),
                            (token, logProbability) -> true);
            assertThat(made.tokens()).containsExactly(tokens);
        }
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void bfloat16IsNearTheFloat32OfPeft(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name);
        PackedBatch batch = Fixtures.batch(expected);
        int[] ids = Fixtures.ints(expected.get("ids").get(0));
        try (LanguageModel base = base(expected, ComputeType.BFLOAT16);
                LoraAdapter adapter = adapter(name, base);
                LanguageModel merged = adapter.mergedInto(base);
                TrainableAdapter trainable = TrainableAdapter.from(base, adapter, AdamWSettings.defaults())) {
            assertNear(adapter.logits(base, ids), expected.get("logits"), "logits");
            assertNear(merged.logits(ids), expected.get("logits"), "logits of the merged model");
            double loss = expected.get("loss").asDouble();
            assertThat(trainable.accumulate(batch, batch.lossTokens())).isCloseTo(loss, within(NARROW * loss));
            double norm = expected.at("/gradients/norm").asDouble();
            assertThat(trainable.clip(1e9)).isCloseTo(norm, within(NARROW * norm));
        }
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void anAdapterIsWrittenAsItWasRead(String name, @TempDir Path directory) throws IOException {
        JsonNode expected = Fixtures.expected("lora/" + name);
        Path written = directory.resolve("adapter");
        try (LanguageModel base = base(expected, ComputeType.best());
                LoraAdapter adapter = adapter(name, base)) {
            adapter.save(written, base);
            LoraConfig read = LoraConfig.read(written.resolve("adapter_config.json"));
            assertThat(read.modules(base.config())).isEqualTo(adapter.config().modules(base.config()));
            assertThat(read.baseModel()).contains(expected.get("base").asText());
        }
        Path theirs = Fixtures.directory("lora/" + name);
        JsonNode before = json(theirs);
        JsonNode after = json(written);
        assertThat(names(after)).isEqualTo(names(before));
        assertThat(after.get("fan_in_fan_out")).isEqualTo(before.get("fan_in_fan_out"));
        try (Safetensors.Reader ours = Safetensors.open(written.resolve("adapter_model.safetensors"));
                Safetensors.Reader reference = Safetensors.open(theirs.resolve("adapter_model.safetensors"))) {
            assertThat(ours.entries()).hasSameSizeAs(reference.entries());
            for (Safetensors.Entry entry : reference.entries()) {
                assertThat(ours.entry(entry.name()).shape()).isEqualTo(entry.shape());
                assertThat(ours.floats(entry.name())).as(entry.name()).containsExactly(reference.floats(entry.name()));
            }
        }
    }

    private static List<String> names(JsonNode json) {
        return json.propertyStream().map(Map.Entry::getKey).toList();
    }

    private static JsonNode json(Path directory) throws IOException {
        return new com.fasterxml.jackson.databind.ObjectMapper()
                .readTree(directory.resolve("adapter_config.json").toFile());
    }

    private static LanguageModel base(JsonNode expected, ComputeType type) {
        return LanguageModel.load(Fixtures.directory(expected.get("base").asText()), type);
    }

    private static LoraAdapter adapter(String name, LanguageModel base) {
        return LoraAdapter.load(Fixtures.directory("lora/" + name), base.config());
    }

    private static void assertGradients(TrainableAdapter trainable, JsonNode expected) {
        for (Map.Entry<String, JsonNode> probe : expected.get("probes").properties()) {
            assertClose(trainable.gradient(probe.getKey()), probe.getValue(), "gradient of " + probe.getKey());
        }
        double norm = expected.get("norm").asDouble();
        assertThat(trainable.clip(1e9)).isCloseTo(norm, within(1e-4 * norm + 1e-5));
    }

    private static void assertClose(float[] found, JsonNode expected, String what) {
        for (int i = 0; i < expected.size(); i++) {
            assertThat((double) found[i])
                    .as(what + "[" + i + "]")
                    .isCloseTo(expected.get(i).asDouble(), CLOSE);
        }
    }

    private static void assertNear(float[][] found, JsonNode expected, String what) {
        double difference = 0;
        double size = 0;
        for (int t = 0; t < found.length; t++) {
            for (int v = 0; v < found[t].length; v++) {
                double theirs = expected.get(t).get(v).asDouble();
                difference += Math.pow(found[t][v] - theirs, 2);
                size += theirs * theirs;
            }
        }
        assertThat(Math.sqrt(difference / size)).as(what).isLessThan(NARROW);
    }
}
