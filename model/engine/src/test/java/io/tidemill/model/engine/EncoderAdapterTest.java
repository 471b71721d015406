package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against PEFT 0.21, from files that {@code bench/peers/make_encoder_objective_fixtures.py} wrote with it. */
class EncoderAdapterTest {
    private static final double CLOSE = 1e-5;

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    private static EncoderModel base(String name, ComputeType type) {
        String base = Fixtures.expected("lora/" + name).get("base").asText();
        return EncoderModel.load(Fixtures.directory(base), type);
    }

    private static EncoderAdapter adapter(String name, EncoderModel base) {
        return EncoderAdapter.load(Fixtures.directory("lora/" + name), base.config());
    }

    private static double accumulate(EncoderTraining trainable, int step) {
        if (trainable.config().head() == EncoderConfig.Head.LABELS) {
            return trainable.accumulateLabelled(EncoderObjectivesTest.texts(EncoderConfig.Problem.SINGLE, step), 3);
        }
        List<MaskedText> texts = EncoderModelTest.masked(step);
        return trainable.accumulateMasked(
                texts, texts.stream().mapToLong(MaskedText::lossTokens).sum());
    }

    private static float[][] logits(EncoderAdapter adapter, EncoderModel base) {
        List<EncoderInput> inputs = EncoderModelTest.inputs(0);
        return base.config().head() == EncoderConfig.Head.LABELS
                ? adapter.labelLogits(base, inputs)
                : adapter.maskedLogits(base, inputs.get(0), 2, 6, 10);
    }

    private static float[][] logits(EncoderModel model) {
        List<EncoderInput> inputs = EncoderModelTest.inputs(0);
        return model.config().head() == EncoderConfig.Head.LABELS
                ? model.labelLogits(inputs)
                : model.maskedLogits(inputs.get(0), 2, 6, 10);
    }

    private static void assertClose(float[][] found, JsonNode expected, double tolerance) {
        assertThat(found).hasDimensions(expected.size(), expected.get(0).size());
        for (int row = 0; row < found.length; row++) {
            for (int i = 0; i < found[row].length; i++) {
                assertThat((double) found[row][i])
                        .as("row %d, element %d", row, i)
                        .isCloseTo(expected.get(row).get(i).asDouble(), within(tolerance));
            }
        }
    }

    // ---- as PEFT ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"bert-labels", "bert-labels-dense", "bert-masked"})
    void logitsAreThoseOfPeftApartAndMerged(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name);
        try (EncoderModel base = base(name, ComputeType.FLOAT32);
                EncoderAdapter adapter = adapter(name, base);
                EncoderModel merged = adapter.mergedInto(base)) {
            assertThat(adapter.parameterCount())
                    .isEqualTo(expected.get("parameters").asLong());
            assertClose(logits(adapter, base), expected.get("logits"), 5e-5);
            assertClose(logits(merged), expected.get("logits"), 5e-5);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-labels", "bert-labels-dense", "bert-masked"})
    void lossAndGradientsAreThoseOfPeft(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name);
        try (EncoderModel base = base(name, ComputeType.FLOAT32);
                EncoderAdapter adapter = adapter(name, base);
                TrainableEncoderAdapter trainable =
                        TrainableEncoderAdapter.from(base, adapter, AdamWSettings.defaults())) {
            assertThat(accumulate(trainable, 0)).isCloseTo(expected.get("loss").asDouble(), within(CLOSE));
            EncoderObjectivesTest.assertGradients(trainable, expected);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-labels", "bert-labels-dense", "bert-masked"})
    void stepsOfAdamWFollowPeftAndLeaveTheBaseAlone(String name) {
        JsonNode steps = Fixtures.expected("lora/" + name).get("steps");
        try (EncoderModel base = base(name, ComputeType.FLOAT32);
                EncoderAdapter adapter = adapter(name, base);
                TrainableEncoderAdapter trainable =
                        TrainableEncoderAdapter.from(base, adapter, AdamWSettings.defaults())) {
            String before = base.digest();
            for (int step = 0; step < steps.size(); step++) {
                double loss = steps.get(step).get(0).asDouble();
                assertThat(accumulate(trainable, step)).as("step " + step).isCloseTo(loss, within(1e-4 * loss + 1e-6));
                trainable.clip(1);
                trainable.update(2e-3);
            }
            assertThat(base.digest()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-labels", "bert-labels-dense", "bert-masked"})
    void bfloat16IsNearThat(String name) {
        JsonNode expected = Fixtures.expected("lora/" + name);
        try (EncoderModel base = base(name, ComputeType.BFLOAT16);
                EncoderAdapter adapter = adapter(name, base);
                TrainableEncoderAdapter trainable =
                        TrainableEncoderAdapter.from(base, adapter, AdamWSettings.defaults())) {
            double loss = expected.get("loss").asDouble();
            assertThat(accumulate(trainable, 0)).isCloseTo(loss, within(0.03 * loss));
            double norm = expected.get("norm").asDouble();
            assertThat(trainable.clip(1e9)).isCloseTo(norm, within(0.03 * norm));
        }
    }

    /** Read by PEFT again by {@code bench/peers/check_encoder_adapter.py}; here the names and settings are compared. */
    @ParameterizedTest
    @ValueSource(strings = {"bert-labels", "bert-labels-dense", "bert-masked"})
    void whatIsSavedIsWhatPeftSaves(String name, @TempDir Path directory) throws IOException {
        Path saved = directory.resolve("adapter");
        Path theirs = Fixtures.directory("lora/" + name);
        try (EncoderModel base = base(name, ComputeType.FLOAT32);
                EncoderAdapter adapter = adapter(name, base)) {
            adapter.save(saved, base);
            try (EncoderAdapter again = EncoderAdapter.load(saved, base.config())) {
                assertThat(again.digest()).isEqualTo(adapter.digest());
                assertThat(again.config()).isEqualTo(adapter.config());
            }
        }
        try (Safetensors.Reader ours = Safetensors.open(saved.resolve("adapter_model.safetensors"));
                Safetensors.Reader peft = Safetensors.open(theirs.resolve("adapter_model.safetensors"))) {
            assertThat(ours.entries().stream().map(Safetensors.Entry::name))
                    .containsExactlyElementsOf(
                            peft.entries().stream().map(Safetensors.Entry::name).toList());
        }
        com.fasterxml.jackson.databind.ObjectMapper json = new com.fasterxml.jackson.databind.ObjectMapper();
        JsonNode ours = json.readTree(saved.resolve("adapter_config.json").toFile());
        JsonNode peft = json.readTree(theirs.resolve("adapter_config.json").toFile());
        for (String field : List.of("task_type", "modules_to_save", "r", "lora_alpha", "rank_pattern", "use_rslora")) {
            assertThat(ours.get(field)).as(field).isEqualTo(peft.get(field));
        }
    }

    // ---- of its own -------------------------------------------------------------------------------------------------

    @Test
    void aNewAdapterChangesNothing() {
        try (EncoderModel base = base("bert-labels", ComputeType.FLOAT32);
                EncoderAdapter adapter = EncoderAdapter.initial(LoraConfig.of(3, 6), base, 1)) {
            assertThat(logits(adapter, base)).isDeepEqualTo(logits(base));
        }
    }

    @ParameterizedTest
    @EnumSource(ComputeType.class)
    void aRunThatGoesOnIsTheSameBitForBit(ComputeType type, @TempDir Path directory) {
        Path state = directory.resolve("state.safetensors");
        try (EncoderModel base = base("bert-labels", type);
                TrainableEncoderAdapter straight =
                        TrainableEncoderAdapter.from(base, LoraConfig.of(2, 4), 1, AdamWSettings.defaults());
                TrainableEncoderAdapter resumed =
                        TrainableEncoderAdapter.from(base, LoraConfig.of(2, 4), 2, AdamWSettings.defaults())) {
            double first = accumulate(straight, 0);
            straight.discardGradients();
            for (int step = 0; step < 30; step++) {
                if (step == 15) {
                    straight.saveState(state);
                }
                accumulate(straight, 0);
                straight.clip(1);
                straight.update(1e-2);
            }
            resumed.loadState(state);
            for (int step = 15; step < 30; step++) {
                accumulate(resumed, 0);
                resumed.clip(1);
                resumed.update(1e-2);
            }
            assertThat(accumulate(straight, 0)).isLessThan(first / 2);
            try (EncoderAdapter one = straight.snapshot();
                    EncoderAdapter other = resumed.snapshot()) {
                assertThat(other.digest()).isEqualTo(one.digest());
                assertThat(straight.labelLogits(EncoderModelTest.inputs(0)))
                        .isDeepEqualTo(one.labelLogits(base, EncoderModelTest.inputs(0)));
            }
        }
    }

    @Test
    void whatWasDamagedOnItsWayIsNotPublished(@TempDir Path directory) {
        Path saved = directory.resolve("adapter");
        try (EncoderModel base = base("bert-labels", ComputeType.FLOAT32);
                EncoderAdapter adapter = adapter("bert-labels", base)) {
            assertThatThrownBy(() -> adapter.save(saved, base, aside -> {
                        try (RandomAccessFile file = new RandomAccessFile(
                                aside.resolve("adapter_model.safetensors").toFile(), "rw")) {
                            file.seek(file.length() - 2);
                            file.write(new byte[] {0x10, 0x41}); // a last weight of about 9
                        }
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Nothing was published");
            assertThat(Files.exists(saved)).isFalse();
            assertThat(directory).isEmptyDirectory();
        }
    }

    @Test
    void adaptersOfOthersAreRefusedByWhatIsWrong() {
        try (EncoderModel base = base("bert-labels", ComputeType.FLOAT32);
                EncoderModel masked = base("bert-masked", ComputeType.FLOAT32);
                EncoderAdapter adapter = adapter("bert-labels", base)) {
            assertThatThrownBy(() -> adapter.mergedInto(masked)).hasMessageContaining("belongs to a model of");
            assertThatThrownBy(() -> EncoderAdapter.load(Fixtures.directory("lora/bert-labels"), masked.config()))
                    .hasMessageContaining("classifier");
            assertThatThrownBy(() -> EncoderAdapter.load(Fixtures.directory("lora/llama"), base.config()))
                    .hasMessageContaining("task_type")
                    .hasMessageContaining("CAUSAL_LM");
            assertThatThrownBy(() -> LoraConfig.of(2, 4).on(List.of("q_proj")).modules(base.config()))
                    .hasMessageContaining("q_proj")
                    .hasMessageContaining("[dense, key, query, value]");
        }
    }
}
