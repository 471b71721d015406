package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against torch.optim.AdamW with parameter groups: {@code bench/peers/make_encoder_objective_fixtures.py}. */
class ParameterGroupsTest {
    private static final ParameterGroups SLOWER_BELOW =
            new ParameterGroups(0.7, 3, false, 0, List.of(), List.of("query"));
    private static final ParameterGroups FROZEN = new ParameterGroups(1, 1, true, 1, List.of("key"), List.of());

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    private static JsonNode expected(String name) throws IOException {
        return new ObjectMapper()
                .readTree(Fixtures.directory("").resolve("groups.json").toFile())
                .get(name);
    }

    private static EncoderModel encoder() {
        return EncoderModel.load(Fixtures.directory("bert-labels"), ComputeType.FLOAT32);
    }

    private static double step(TrainableEncoder trainable, int step) {
        return trainable.accumulateLabelled(EncoderObjectivesTest.texts(EncoderConfig.Problem.SINGLE, step), 3);
    }

    private static void follow(TrainableEncoder trainable, JsonNode steps) {
        for (int step = 0; step < steps.size(); step++) {
            double loss = steps.get(step).get(0).asDouble();
            double norm = steps.get(step).get(1).asDouble();
            assertThat(step(trainable, step)).as("loss of step " + step).isCloseTo(loss, within(1e-4 * loss + 1e-6));
            assertThat(trainable.clip(1)).as("norm of step " + step).isCloseTo(norm, within(1e-3 * norm + 1e-6));
            trainable.update(2e-3);
        }
    }

    // ---- as torch ---------------------------------------------------------------------------------------------------

    @Test
    void slowerLayersAFasterHeadAndExclusionsFromDecayFollowTorch() throws IOException {
        JsonNode expected = expected("encoder");
        try (EncoderModel start = encoder();
                TrainableEncoder trainable =
                        TrainableEncoder.from(start, AdamWSettings.defaults().with(SLOWER_BELOW))) {
            follow(trainable, expected.get("steps"));
            try (EncoderModel end = trainable.snapshot(ComputeType.FLOAT32)) {
                for (Map.Entry<String, JsonNode> probe : expected.get("weights").properties()) {
                    // The bias of the keys moves all scores of a query alike, so its gradient is rounding alone.
                    if (probe.getKey().endsWith("key.bias")) {
                        continue;
                    }
                    float[] found = end.weights(probe.getKey());
                    for (int i = 0; i < probe.getValue().size(); i++) {
                        assertThat((double) found[i])
                                .as(probe.getKey() + "[" + i + "]")
                                .isCloseTo(probe.getValue().get(i).asDouble(), within(1e-3));
                    }
                }
            }
        }
    }

    @Test
    void frozenWeightsStayBitForBitAndHaveNoPartInTheNorm() throws IOException {
        try (EncoderModel start = encoder();
                TrainableEncoder trainable =
                        TrainableEncoder.from(start, AdamWSettings.defaults().with(FROZEN))) {
            follow(trainable, expected("frozen").get("steps"));
            try (EncoderModel end = trainable.snapshot(ComputeType.FLOAT32)) {
                for (Layout.Slot slot : new Layout(start.config()).slots()) {
                    boolean frozen = slot.name().contains("embeddings")
                            || slot.name().contains("layer.0.")
                            || slot.name().contains("key");
                    assertThat(java.util.Arrays.equals(end.weights(slot.name()), start.weights(slot.name())))
                            .as(slot.name())
                            .isEqualTo(frozen);
                }
            }
        }
    }

    @Test
    void aDecodersLayersLearnSlowerTheLowerTheyAreAsInTorch() throws IOException {
        JsonNode steps = expected("decoder").get("steps");
        ParameterGroups groups = new ParameterGroups(0.7, 3, false, 0, List.of(), List.of());
        try (LanguageModel start = LanguageModel.load(Fixtures.directory("llama-biases"), ComputeType.FLOAT32);
                TrainableModel trainable =
                        TrainableModel.from(start, AdamWSettings.defaults().with(groups))) {
            for (int step = 0; step < steps.size(); step++) {
                PackedBatch batch =
                        AgainstTransformersTest.batchOfStep(step, start.config().vocabularySize());
                double loss = steps.get(step).get(0).asDouble();
                assertThat(trainable.accumulate(batch, batch.lossTokens()))
                        .as("loss of step " + step)
                        .isCloseTo(loss, within(1e-4 * loss));
                double norm = steps.get(step).get(1).asDouble();
                assertThat(trainable.clip(1)).isCloseTo(norm, within(1e-3 * norm));
                trainable.update(2e-3);
            }
        }
    }

    // ---- ranges -----------------------------------------------------------------------------------------------------

    @Test
    void whereAllLearnAlikeThereAreTwoRangesMatricesAndTheRest() {
        for (Family family : Family.values()) {
            Layout layout = new Layout(Fixtures.tiny(family, 64));
            List<ParameterGroups.Range> ranges = ParameterGroups.NONE.ranges(layout, 0.1);
            long matrices = layout.length() - layout.small();
            assertThat(ranges)
                    .containsExactly(
                            new ParameterGroups.Range(0, matrices, 1, 0.1, true, false),
                            new ParameterGroups.Range(matrices, layout.small(), 1, 0, false, false));
        }
    }

    /** d = 1/2, two layers: 1/8 for embeddings, 1/4, 1/2, then 1, and the head 10. */
    @Test
    void factorsFallByLayerFromTheTop() {
        ParameterGroups groups = new ParameterGroups(0.5, 10, false, 0, List.of(), List.of());
        try (EncoderModel start = encoder()) {
            Layout layout = new Layout(start.config());
            List<ParameterGroups.Range> ranges = groups.ranges(layout, 0.1);
            assertThat(factor(ranges, layout, "bert.embeddings.word_embeddings.weight"))
                    .isEqualTo(0.125);
            assertThat(factor(ranges, layout, "bert.embeddings.LayerNorm.bias")).isEqualTo(0.125);
            assertThat(factor(ranges, layout, "bert.encoder.layer.0.output.dense.weight"))
                    .isEqualTo(0.25);
            assertThat(factor(ranges, layout, "bert.encoder.layer.1.attention.self.key.bias"))
                    .isEqualTo(0.5);
            assertThat(factor(ranges, layout, "bert.pooler.dense.weight")).isEqualTo(10);
            assertThat(factor(ranges, layout, "classifier.bias")).isEqualTo(10);
        }
        Layout decoder = new Layout(Fixtures.tiny(Family.LLAMA, 64));
        List<ParameterGroups.Range> ranges = groups.ranges(decoder, 0.1);
        assertThat(factor(ranges, decoder, "model.norm.weight")).isEqualTo(1);
        assertThat(factor(ranges, decoder, "model.embed_tokens.weight")).isLessThan(0.5);
    }

    private static double factor(List<ParameterGroups.Range> ranges, Layout layout, String name) {
        long at = layout.slot(name).at();
        return ranges.stream()
                .filter(range -> range.at() <= at && at < range.at() + range.length())
                .findFirst()
                .orElseThrow()
                .factor();
    }

    @Test
    void rangesCoverAllWeightsOnceAndInOrder() {
        try (EncoderModel start = encoder()) {
            Layout layout = new Layout(start.config());
            for (ParameterGroups groups : List.of(SLOWER_BELOW, FROZEN)) {
                long at = 0;
                for (ParameterGroups.Range range : groups.ranges(layout, 0.1)) {
                    assertThat(range.at()).isEqualTo(at);
                    at += range.length();
                }
                assertThat(at).isEqualTo(layout.length());
            }
        }
    }

    @Test
    void whatMeansNothingIsRefusedWithItsValue() {
        try (EncoderModel start = encoder()) {
            Layout layout = new Layout(start.config());
            assertThatThrownBy(
                            () -> new ParameterGroups(1, 1, false, 0, List.of("querry"), List.of()).ranges(layout, 0))
                    .hasMessageContaining("querry")
                    .hasMessageContaining("bert.embeddings.word_embeddings.weight");
            assertThatThrownBy(() -> ParameterGroups.frozenBelow(3).ranges(layout, 0))
                    .hasMessageContaining("3 layers")
                    .hasMessageContaining("2");
            assertThatThrownBy(() -> new ParameterGroups(1, 1, false, 0, List.of("."), List.of()).ranges(layout, 0))
                    .hasMessageContaining("Nothing would learn");
        }
        assertThatThrownBy(() -> ParameterGroups.ofLayerDecay(1.5)).hasMessageContaining("1.5");
        assertThatThrownBy(() -> new ParameterGroups(1, 1, false, 0, List.of("("), List.of()))
                .hasMessageContaining("(");
    }
}
