package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.EncoderConfig.Problem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What encoders learn by, against transformers 5.18 and torch 2.13 in float32: {@code
 * bench/peers/make_encoder_objective_fixtures.py}.
 */
class EncoderObjectivesTest {
    private static final double CLOSE = 1e-5;
    private static final List<Set<Integer>> SEVERAL = List.of(Set.of(0, 2), Set.of(), Set.of(1));
    private static final double[] SCORES = {1.5, -0.75, 0.25};

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    // ---- the batches of the script ----------------------------------------------------------------------------------

    static List<LabelledText> texts(Problem problem, int step) {
        List<LabelledText> texts = new ArrayList<>();
        List<EncoderInput> inputs = EncoderModelTest.inputs(step);
        for (int row = 0; row < inputs.size(); row++) {
            EncoderInput input = inputs.get(row);
            int which = (row + step) % 3;
            texts.add(
                    switch (problem) {
                        case SINGLE -> new LabelledText(input, which);
                        case MULTIPLE -> LabelledText.of(input, SEVERAL.get(which));
                        case SCORE -> LabelledText.scored(input, SCORES[which]);
                    });
        }
        return texts;
    }

    private static JsonNode read(String path) throws IOException {
        return new ObjectMapper().readTree(Fixtures.directory("").resolve(path).toFile());
    }

    private static LabelWeights weights(JsonNode expected) {
        return new LabelWeights(StreamSupport.stream(expected.path("weights").spliterator(), false)
                .map(JsonNode::asDouble)
                .toList());
    }

    private static void check(String model, Problem problem, JsonNode expected) {
        try (EncoderModel start = EncoderModel.load(Fixtures.directory(model), ComputeType.FLOAT32);
                TrainableEncoder trainable = TrainableEncoder.from(start, AdamWSettings.defaults())) {
            assertThat(start.config().problem()).isEqualTo(problem);
            List<LabelledText> texts = texts(problem, 0);
            LabelWeights weights = weights(expected);
            LabelResult result = trainable.accumulateLabelled(texts, weights, weights.of(texts, start.config()));
            assertThat(result.loss()).isCloseTo(expected.get("loss").asDouble(), within(CLOSE));
            for (int row = 0; row < texts.size(); row++) {
                for (int label = 0; label < result.logits().get(row).length; label++) {
                    assertThat((double) result.logits().get(row)[label])
                            .isCloseTo(
                                    expected.at("/logits/" + row + "/" + label).asDouble(), within(CLOSE));
                }
            }
            assertGradients(trainable, expected);
        }
    }

    static void assertGradients(Trainable trainable, JsonNode expected) {
        for (Map.Entry<String, JsonNode> probe : expected.get("gradients").properties()) {
            float[] found = trainable.gradient(probe.getKey());
            for (int i = 0; i < probe.getValue().size(); i++) {
                assertThat((double) found[i])
                        .as(probe.getKey() + "[" + i + "]")
                        .isCloseTo(probe.getValue().get(i).asDouble(), within(CLOSE));
            }
        }
        double norm = expected.get("norm").asDouble();
        assertThat(trainable.clip(1e9)).isCloseTo(norm, within(CLOSE * norm));
    }

    // ---- as transformers and torch ----------------------------------------------------------------------------------

    @Test
    void aWeightedLabelIsLearntAsWithCrossEntropyLossOfTorch() throws IOException {
        check("bert-labels", Problem.SINGLE, read("bert-labels/weighted.json"));
    }

    @Test
    void severalLabelsAtOnceAreLearntAsByTransformers() throws IOException {
        check("bert-several", Problem.MULTIPLE, read("bert-several/expected.json"));
    }

    @Test
    void severalLabelsWithPositiveWeightsAreLearntAsWithBCEWithLogitsLossOfTorch() throws IOException {
        check("bert-several", Problem.MULTIPLE, read("bert-several/weighted.json"));
    }

    @Test
    void aScoreIsLearntAsByTransformers() throws IOException {
        check("bert-score", Problem.SCORE, read("bert-score/expected.json"));
    }

    /** Masked text again, here with the tolerance of the others. */
    @Test
    void maskedTokensAreLearntAsByTransformers() {
        JsonNode expected = Fixtures.expected("bert-masked");
        try (EncoderModel start = EncoderModel.load(Fixtures.directory("bert-masked"), ComputeType.FLOAT32);
                TrainableEncoder trainable = TrainableEncoder.from(start, AdamWSettings.defaults())) {
            List<MaskedText> texts = EncoderModelTest.masked(0);
            long tokens = texts.stream().mapToLong(MaskedText::lossTokens).sum();
            assertThat(trainable.accumulateMasked(texts, tokens))
                    .isCloseTo(expected.get("loss").asDouble(), within(CLOSE));
            assertGradients(trainable, expected);
            double sum = 0;
            for (double loss : trainable.maskedLosses(texts)) {
                sum += loss;
            }
            assertThat(sum / tokens).isCloseTo(expected.get("loss").asDouble(), within(CLOSE));
            assertThat(start.maskedLosses(texts.subList(1, 2))[0])
                    .isCloseTo(trainable.maskedLosses(texts)[1], within(CLOSE));
        }
    }

    // ---- of a step --------------------------------------------------------------------------------------------------

    /** The divisor is that of the step, so a call with light texts does not count for more. */
    @Test
    void twoCallsGiveTheGradientOfOneWhateverTheLabelsWeigh() {
        LabelWeights weights = new LabelWeights(List.of(0.5, 2.0, 1.25));
        for (Problem problem : List.of(Problem.SINGLE, Problem.MULTIPLE)) {
            String name = problem == Problem.SINGLE ? "bert-labels" : "bert-several";
            try (EncoderModel start = EncoderModel.load(Fixtures.directory(name), ComputeType.FLOAT32);
                    TrainableEncoder whole = TrainableEncoder.from(start, AdamWSettings.defaults());
                    TrainableEncoder parts = TrainableEncoder.from(start, AdamWSettings.defaults())) {
                List<LabelledText> texts = texts(problem, 0);
                double divisor = weights.of(texts, start.config());
                double loss = whole.accumulateLabelled(texts, weights, divisor).loss();
                double sum = texts.stream()
                        .mapToDouble(text -> parts.accumulateLabelled(List.of(text), weights, divisor)
                                .loss())
                        .sum();
                assertThat(sum).isCloseTo(loss, within(1e-6));
                for (Layout.Slot slot : new Layout(start.config()).slots()) {
                    assertThat(parts.gradient(slot.name()))
                            .as(slot.name())
                            .containsExactly(whole.gradient(slot.name()), within(1e-5f));
                }
            }
        }
    }

    /** 6 texts, of labels with 3, 2 and 1 of them: 6/(3·3), 6/(3·2), 6/(3·1); none of the fourth would be 6/0. */
    @Test
    void balancedWeightsMakeAllLabelsWeighTheSame() {
        assertThat(LabelWeights.balanced(3, 2, 1).values()).containsExactly(2.0 / 3, 1.0, 2.0);
        assertThat(LabelWeights.balanced(2, 0).values()).containsExactly(0.5, 1.0);
    }

    @Test
    void theProblemIsReadAndWrittenAndIsUsualWhereItIsNotSaid(@TempDir Path directory) throws IOException {
        try (EncoderModel one = EncoderModel.load(Fixtures.directory("bert-labels"), ComputeType.FLOAT32);
                EncoderModel several = one.withLabels(List.of("a", "b"), Problem.MULTIPLE, 1);
                EncoderModel score = one.withLabels(List.of("stars"), 1)) {
            assertThat(one.config().problem()).isEqualTo(Problem.SINGLE);
            assertThat(score.config().problem()).isEqualTo(Problem.SCORE);
            several.save(directory.resolve("several"), WeightType.FLOAT32);
            score.save(directory.resolve("score"), WeightType.FLOAT32);
            assertThat(EncoderConfig.read(directory.resolve("several/config.json")))
                    .isEqualTo(several.config());
            assertThat(EncoderConfig.read(directory.resolve("score/config.json")))
                    .isEqualTo(score.config());
            assertThatThrownBy(() -> one.withLabels(List.of("a", "b"), Problem.SCORE, 1))
                    .hasMessageContaining("regression")
                    .hasMessageContaining("[a, b]");
        }
    }

    @Test
    void whatCannotBeLearntIsRefusedWithItsValues() {
        try (EncoderModel one = EncoderModel.load(Fixtures.directory("bert-labels"), ComputeType.FLOAT32);
                EncoderModel score = one.withLabels(List.of("stars"), 1);
                TrainableEncoder trainable = TrainableEncoder.from(one, AdamWSettings.defaults());
                TrainableEncoder scorer = TrainableEncoder.from(score, AdamWSettings.defaults())) {
            EncoderInput input = EncoderInput.of(5, 6);
            assertThatThrownBy(() -> trainable.accumulateLabelled(
                            List.of(LabelledText.of(input, Set.of(0, 2))), LabelWeights.EQUAL, 1))
                    .hasMessageContaining("one right label");
            assertThatThrownBy(() -> trainable.accumulateLabelled(
                            List.of(new LabelledText(input, 0)), new LabelWeights(List.of(1.0, 2.0)), 1))
                    .hasMessageContaining("[1.0, 2.0]");
            assertThatThrownBy(() -> scorer.accumulateLabelled(
                            List.of(LabelledText.scored(input, 1)), new LabelWeights(List.of(2.0)), 1))
                    .hasMessageContaining("SCORE");
            assertThatThrownBy(() -> trainable.accumulateLabelled(
                            List.of(new LabelledText(input, 0), new LabelledText(input, 1)), LabelWeights.EQUAL, 1))
                    .hasMessageContaining("weigh 1.0")
                    .hasMessageContaining("2.0");
            assertThatThrownBy(() -> LabelledText.scored(input, Double.NaN)).hasMessageContaining("NaN");
            assertThatThrownBy(() -> new LabelWeights(List.of(-1.0))).hasMessageContaining("-1.0");
        }
    }
}
