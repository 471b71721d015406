package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LanguageModelTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    @Test
    void whatIsSavedInFloat32IsLoadedBitForBit(@TempDir Path directory) throws IOException {
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
            try (LanguageModel again = LanguageModel.load(directory, ComputeType.FLOAT32)) {
                assertThat(again.digest()).isEqualTo(model.digest()).hasSize(64);
                assertThat(again.config()).isEqualTo(model.config());
            }
            JsonNode generation =
                    JSON.readTree(directory.resolve("generation_config.json").toFile());
            assertThat(generation.get("eos_token_id").asInt()).isEqualTo(2);
        }
    }

    @Test
    void whatIsSavedInBfloat16IsTheNearestBfloat16(@TempDir Path directory) {
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.BFLOAT16);
            try (LanguageModel again = LanguageModel.load(directory, ComputeType.FLOAT32)) {
                float[] exact = model.weights("model.layers.1.mlp.up_proj.weight");
                float[] rounded = again.weights("model.layers.1.mlp.up_proj.weight");
                for (int i = 0; i < exact.length; i++) {
                    assertThat(rounded[i]).isCloseTo(exact[i], within(Math.abs(exact[i]) / 256 + 1e-30f));
                }
                again.save(directory, WeightType.BFLOAT16);
                try (LanguageModel third = LanguageModel.load(directory, ComputeType.FLOAT32)) {
                    assertThat(third.digest()).isEqualTo(again.digest());
                }
            }
        }
    }

    @Test
    void weightsOfTransformersKeepTheirNamesAndDigestThroughUs(@TempDir Path directory) throws IOException {
        Path theirs = Fixtures.directory("untied");
        try (LanguageModel model = LanguageModel.load(theirs, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
        }
        try (Safetensors.Reader before = Safetensors.open(theirs);
                Safetensors.Reader after = Safetensors.open(directory)) {
            assertThat(after.entries()).hasSameSizeAs(before.entries());
            for (Safetensors.Entry entry : before.entries()) {
                assertThat(after.floats(entry.name())).as(entry.name()).containsExactly(before.floats(entry.name()));
                assertThat(after.entry(entry.name()).shape()).containsExactly(entry.shape());
            }
        }
    }

    @Test
    void aSeedDecidesTheWeightsAndAnotherSeedOthers() {
        try (LanguageModel one = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32);
                LanguageModel same = LanguageModel.random(Fixtures.TINY, 5, ComputeType.best());
                LanguageModel other = LanguageModel.random(Fixtures.TINY, 6, ComputeType.FLOAT32);
                LanguageModel copy = one.copy()) {
            assertThat(same.digest()).isEqualTo(one.digest());
            assertThat(copy.digest()).isEqualTo(one.digest());
            assertThat(other.digest()).isNotEqualTo(one.digest());
            assertThat(one.weights("model.norm.weight")).containsOnly(1f);
            float[] embedding = one.weights("model.embed_tokens.weight");
            double squares = 0;
            for (float w : embedding) {
                squares += w * w;
            }
            assertThat(Math.sqrt(squares / embedding.length)).isCloseTo(0.2, within(0.01));
        }
    }

    @Test
    void scoresAreThoseOfTheLogitsWhateverElseIsScoredAlong() {
        Random random = new Random(4);
        List<int[]> sequences = new ArrayList<>();
        for (int i = 0; i < 150; i++) { // more tokens than one call holds
            sequences.add(random.ints(1 + random.nextInt(64), 0, 61).toArray());
        }
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32)) {
            List<float[]> scores = model.logProbabilities(sequences);
            for (int i = 0; i < sequences.size(); i += 7) {
                int[] sequence = sequences.get(i);
                float[] scored = scores.get(i);
                assertThat(scored).hasSize(sequence.length - 1);
                float[][] logits = model.logits(sequence);
                for (int t = 0; t + 1 < sequence.length; t++) {
                    assertThat((double) scored[t]).isCloseTo(logProbability(logits[t], sequence[t + 1]), within(1e-4));
                }
            }
        }
    }

    private static double logProbability(float[] logits, int token) {
        double sum = 0;
        for (float z : logits) {
            sum += Math.exp(z);
        }
        return logits[token] - Math.log(sum);
    }

    @Test
    void bfloat16SaysNearlyTheSame() {
        int[] ids = new Random(4).ints(40, 0, 61).toArray();
        try (LanguageModel wide = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32);
                LanguageModel narrow = LanguageModel.random(Fixtures.TINY, 5, ComputeType.BFLOAT16)) {
            double wideSum = sum(wide.logProbabilities(List.of(ids)).get(0));
            double narrowSum = sum(narrow.logProbabilities(List.of(ids)).get(0));
            assertThat(narrowSum).isCloseTo(wideSum, within(0.02 * Math.abs(wideSum)));
            assertThat(narrowSum).isNotEqualTo(wideSum);
        }
    }

    private static double sum(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }

    @Test
    void aSequenceThatDoesNotFitIsRefusedWithItsNumbers() {
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32)) {
            assertThatThrownBy(() -> model.logProbabilities(List.of(new int[65])))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("65")
                    .hasMessageContaining("64");
            assertThatThrownBy(() -> model.logits(new int[] {61})).hasMessageContaining("61");
            assertThatThrownBy(() -> model.logits(new int[0])).hasMessageContaining("at least one");
        }
    }

    @Test
    void parameterCountIsTheNumberOfWeights() {
        assertThat(new Layout(Fixtures.TINY).length()).isEqualTo(Fixtures.TINY.parameterCount());
        ModelConfig base = new ModelConfig(6144, 256, 704, 8, 8, 4, 32, 512, 1e4, 1e-5, true, 0.02, 0, List.of());
        assertThat(base.parameterCount()).isEqualTo(7_475_456);
    }

    @Test
    void theConfigurationSurvivesItsOwnJson(@TempDir Path directory) throws IOException {
        ModelConfig config =
                new ModelConfig(61, 32, 48, 2, 4, 1, 16, 64, 500_000, 1e-6, false, 0.03, -1, List.of(2, 3));
        Path file = directory.resolve("config.json");
        Files.writeString(file, config.toJson());
        assertThat(ModelConfig.read(file)).isEqualTo(config);
        Files.writeString(file, Fixtures.TINY.toJson());
        assertThat(ModelConfig.read(file)).isEqualTo(Fixtures.TINY);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model_type | \"gemma\"",
                "architectures | [\"LlamaForTokenClassification\"]",
                "hidden_act | \"gelu\"",
                "attention_bias | \"yes\"",
                "rope_scaling | 4.0",
                "layer_types | [\"full_attention\",\"sliding_attention\"]",
                "sliding_window | 4096",
                "quantization_config | {\"bits\":4}",
                "partial_rotary_factor | 0.5",
                "pretraining_tp | 2",
                "hidden_size | \"wide\"",
                "num_key_value_heads | 3",
                "head_dim | 7"
            })
    void whatWeDoNotHaveIsRefusedByFieldAndValue(String field, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(Fixtures.TINY.toJson());
        JsonNode bad = JSON.readTree(value);
        json.set(field, bad);
        assertThatThrownBy(() -> ConfigFile.parse(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(field)
                .hasMessageContaining(bad.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"pytorch_model.bin", "model.pt"})
    void aPickleIsRefusedWithTheReason(String name, @TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("config.json"), Fixtures.TINY.toJson());
        Files.write(directory.resolve(name), new byte[] {1});
        assertThatThrownBy(() -> LanguageModel.load(directory, ComputeType.FLOAT32))
                .hasMessageContaining(name)
                .hasMessageContaining("pickle");
    }

    @Test
    void aTensorThatIsMissingTooManyOrOfAnotherShapeIsNamed(@TempDir Path directory) throws IOException {
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
        }
        rewrite(directory, "num_hidden_layers", 3);
        assertThatThrownBy(() -> LanguageModel.load(directory, ComputeType.FLOAT32))
                .hasMessageContaining("model.layers.2")
                .hasMessageContaining("missing");
        rewrite(directory, "num_hidden_layers", 1);
        assertThatThrownBy(() -> LanguageModel.load(directory, ComputeType.FLOAT32))
                .hasMessageContaining("model.layers.1")
                .hasMessageContaining("no place");
        rewrite(directory, "num_hidden_layers", 2);
        rewrite(directory, "intermediate_size", 50);
        assertThatThrownBy(() -> LanguageModel.load(directory, ComputeType.FLOAT32))
                .hasMessageContaining("50")
                .hasMessageContaining("48");
    }

    private static void rewrite(Path directory, String field, int value) throws IOException {
        Path file = directory.resolve("config.json");
        ObjectNode json = (ObjectNode) JSON.readTree(file.toFile());
        Files.writeString(file, json.put(field, value).toString());
    }

    @Test
    void shardsAreReadTogether(@TempDir Path directory) throws IOException {
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 5, ComputeType.FLOAT32)) {
            Files.writeString(directory.resolve("config.json"), Fixtures.TINY.toJson());
            ObjectNode index = JSON.createObjectNode();
            ObjectNode map = index.putObject("weight_map");
            List<List<Safetensors.Entry>> shards = List.of(new ArrayList<>(), new ArrayList<>());
            for (Layout.Slot slot : new Layout(Fixtures.TINY).slots()) {
                int shard = map.size() % 2;
                shards.get(shard).add(new Safetensors.Entry(slot.name(), "F32", slot.shape()));
                map.put(slot.name(), "part-" + shard + ".safetensors");
            }
            for (int shard = 0; shard < 2; shard++) {
                Safetensors.write(
                        directory.resolve("part-" + shard + ".safetensors"),
                        Map.of(),
                        shards.get(shard),
                        (entry, from, values, count) ->
                                System.arraycopy(model.weights(entry.name()), (int) from, values, 0, count));
            }
            Files.writeString(directory.resolve("model.safetensors.index.json"), index.toString());
            try (LanguageModel again = LanguageModel.load(directory, ComputeType.FLOAT32)) {
                assertThat(again.digest()).isEqualTo(model.digest());
            }
            map.put("model.norm.weight", "../elsewhere.safetensors");
            Files.writeString(directory.resolve("model.safetensors.index.json"), index.toString());
            assertThatThrownBy(() -> LanguageModel.load(directory, ComputeType.FLOAT32))
                    .hasMessageContaining("../elsewhere.safetensors");
        }
    }

    @ParameterizedTest
    @CsvSource({"avx512f avx512_bf16 x, BFLOAT16", "amx_tile amx_bf16, BFLOAT16", "avx512f avx2, FLOAT32"})
    void theProcessorChoosesTheComputeType(String flags, ComputeType expected, @TempDir Path directory)
            throws IOException {
        Path info = Files.writeString(directory.resolve("cpuinfo"), "processor : 0\nflags\t\t: fpu " + flags + "\n");
        assertThat(ComputeType.detect(info)).isEqualTo(expected);
        assertThat(ComputeType.detect(directory.resolve("absent"))).isEqualTo(ComputeType.FLOAT32);
    }
}
