package io.tidemill.feedback.answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.feedback.testing.TinyEncoder;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Head;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real engines on tiny random models. */
class EncoderEnginesTest {
    private static final EncoderConfig BODY = TinyEncoder.config(Head.MASKED);
    private static final EncoderConfig THREE = BODY.withLabels(List.of("ham", "spam", "eggs"));

    /** "[CLS] the tide ##s turn [SEP]". */
    private static final int[] THE_TIDES_TURN = {2, 5, 6, 7, 8, 3};

    @TempDir
    Path directory;

    @Test
    void ofOneRightLabelTheProbabilitiesAreTheSoftmaxOfTheLogits() throws IOException {
        try (ClassifierEngine engine = classifier(THREE)) {
            Classification.OneLabel said = (Classification.OneLabel) only(engine, "The tides turn");
            float[] logits = logits(EncoderInput.of(THE_TIDES_TURN));
            double sum = Math.exp(logits[0]) + Math.exp(logits[1]) + Math.exp(logits[2]);

            assertThat(said.probabilities().keySet()).containsExactly("ham", "spam", "eggs");
            assertThat(said.probabilities().get("spam")).isCloseTo(Math.exp(logits[1]) / sum, within(1e-6));
            assertThat(said.probabilities().values().stream()
                            .mapToDouble(p -> p)
                            .sum())
                    .isCloseTo(1, within(1e-12));
            assertThat(said.probabilities().get(said.label()))
                    .isEqualTo(said.probabilities().values().stream()
                            .mapToDouble(p -> p)
                            .max()
                            .orElseThrow());
            assertThat(engine.task()).isEqualTo(Task.CLASSIFY);
            assertThat(engine.version()).isEqualTo("tidemill-000007");
            assertThat(engine.contextTokens()).isEqualTo(TinyEncoder.CONTEXT);
            assertThat(engine.parameters()).isEqualTo(THREE.parameterCount());
        }
    }

    @Test
    void ofSeveralLabelsEachHasAProbabilityOfItsOwnAndThoseAboveOneHalfAreTold() throws IOException {
        EncoderConfig several = BODY.withLabels(List.of("ham", "spam", "eggs"), Problem.MULTIPLE);
        try (ClassifierEngine engine = classifier(several)) {
            Classification.SeveralLabels said = (Classification.SeveralLabels) only(engine, "the tides turn");
            float[] logits = logits(EncoderInput.of(THE_TIDES_TURN));
            List<String> above = several.labels().stream()
                    .filter(label -> logits[several.labels().indexOf(label)] > 0)
                    .toList();

            assertThat(said.probabilities().get("eggs")).isCloseTo(1 / (1 + Math.exp(-logits[2])), within(1e-6));
            assertThat(said.labels()).isEqualTo(above);
            assertThat(above).as("a seed that tells right from wrong").hasSizeBetween(1, 2);
        }
    }

    @Test
    void aScoreIsTheLogitItself() throws IOException {
        try (ClassifierEngine engine = classifier(BODY.withLabels(List.of("quality")))) {
            Classification.Score said = (Classification.Score) only(engine, "the tides turn");

            assertThat(said.score()).isCloseTo(logits(EncoderInput.of(THE_TIDES_TURN))[0], within(1e-6));
        }
    }

    @Test
    void aTextBeyondTheContextIsCutAtItsEndAndSaysSo() throws IOException {
        try (ClassifierEngine engine = classifier(THREE)) {
            EncodedText fits = engine.encode("tide ".repeat(8));
            EncodedText cut = engine.encode("tide ".repeat(8) + "mill");

            assertThat(fits.truncated()).isFalse();
            assertThat(cut.truncated()).isTrue();
            assertThat(cut.ids()).containsExactly(2, 6, 6, 6, 6, 6, 6, 6, 6, 3).containsExactly(fits.ids());
        }
    }

    @Test
    void whatATextIsDoesNotDependOnTheTextsBesideIt() throws IOException {
        try (ClassifierEngine engine = classifier(THREE)) {
            List<String> texts = List.of("mill", "the tides turn the mill", "tide turn");
            List<Classification> together =
                    engine.classify(texts.stream().map(engine::encode).toList());
            ToDoubleFunction<Classification> ham =
                    said -> ((Classification.OneLabel) said).probabilities().get("ham");

            for (int i = 0; i < texts.size(); i++) {
                assertThat(ham.applyAsDouble(together.get(i)))
                        .as(texts.get(i))
                        .isCloseTo(ham.applyAsDouble(only(engine, texts.get(i))), within(1e-6));
            }
            assertThat(together.stream().mapToDouble(ham).distinct().count()).isEqualTo(3);
        }
    }

    @Test
    void aTextToClassifyNeverBecomesASpecialToken() throws IOException {
        try (ClassifierEngine engine = classifier(THREE)) {
            assertThat(engine.encode("the [MASK]").ids()).containsExactly(2, 5, 10, 12, 11, 3);
        }
    }

    @Test
    void aMasksLikeliestTokensComeFirstInTheirPlaceOfTheText() throws IOException {
        try (FillMaskEngine engine = filler()) {
            EncodedText text = engine.encode("the [MASK] turn");
            assertThat(text.ids()).containsExactly(2, 5, 4, 8, 3);
            List<FillMaskEngine.Guess> all = engine.fill(text, 100).get(0);

            double[] logits = new double[TinyEncoder.VOCABULARY];
            double sum = 0;
            try (EncoderModel model = EncoderModel.load(directory, ComputeType.FLOAT32)) {
                float[] row = model.maskedLogits(EncoderInput.of(text.ids()), 2)[0];
                for (int token = 0; token < row.length; token++) {
                    logits[token] = row[token];
                    sum += Math.exp(row[token]);
                }
            }
            assertThat(all).hasSize(TinyEncoder.TOKENS.size()); // not the ids that nothing spells
            for (int i = 0; i < all.size(); i++) {
                FillMaskEngine.Guess guess = all.get(i);
                assertThat(guess.probability()).isCloseTo(Math.exp(logits[guess.token()]) / sum, within(1e-6));
                assertThat(guess.text()).isEqualTo(TinyEncoder.TOKENS.get(guess.token()));
                assertThat(i == 0 || guess.probability() <= all.get(i - 1).probability())
                        .isTrue();
            }
            assertThat(all)
                    .filteredOn(guess -> guess.text().equals("tide"))
                    .extracting(FillMaskEngine.Guess::sequence)
                    .containsExactly("the tide turn");
            assertThat(engine.fill(text, 2).get(0)).isEqualTo(all.subList(0, 2));
            assertThat(engine.task()).isEqualTo(Task.FILL_MASK);
        }
    }

    @Test
    void ofSeveralMasksEachIsFilledByItselfAndTheOthersStay() throws IOException {
        try (FillMaskEngine engine = filler()) {
            List<List<FillMaskEngine.Guess>> masks = engine.fill(engine.encode("[MASK] tide [MASK]"), 13);

            assertThat(masks).hasSize(2);
            assertThat(masks.get(0))
                    .filteredOn(guess -> guess.text().equals("the"))
                    .extracting(FillMaskEngine.Guess::sequence)
                    .containsExactly("[CLS] the tide [MASK] [SEP]");
            assertThat(masks.get(1))
                    .filteredOn(guess -> guess.text().equals("mill"))
                    .extracting(FillMaskEngine.Guess::sequence)
                    .containsExactly("[CLS] [MASK] tide mill [SEP]");
        }
    }

    @Test
    void aTextWithoutAMaskThatTheModelReadsIsRefused() throws IOException {
        try (FillMaskEngine engine = filler()) {
            assertThatThrownBy(() -> engine.encode("the tide"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("it has no [MASK]");
            assertThatThrownBy(() -> engine.encode("tide ".repeat(8) + "[MASK]"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("it has no [MASK] among the 10 tokens that the model reads");
        }
    }

    @Test
    void aTextOfMoreMasksThanAreFilledIsRefusedWithBothNumbers() throws IOException {
        TinyEncoder.write(directory, TinyEncoder.config(Head.MASKED, 32));
        try (FillMaskEngine engine = (FillMaskEngine) load()) {
            assertThat(engine.fill(engine.encode("[MASK] ".repeat(16)), 1)).hasSize(16);
            assertThatThrownBy(() -> engine.encode("[MASK] ".repeat(17)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("it has 17 [MASK], of which at most 16 are filled");
        }
    }

    @Test
    void theProbeOfAnEncoderIsWhatItsHeadSays() throws IOException {
        try (ClassifierEngine engine = classifier(THREE)) {
            assertThat(engine.probeLogits(THE_TIDES_TURN)).isEqualTo(logits(EncoderInput.of(THE_TIDES_TURN)));
        }
        try (FillMaskEngine engine = filler();
                EncoderModel model = EncoderModel.load(directory, ComputeType.FLOAT32)) {
            assertThat(engine.probeLogits(THE_TIDES_TURN))
                    .isEqualTo(model.maskedLogits(EncoderInput.of(THE_TIDES_TURN), 5)[0]);
        }
    }

    @Test
    void anEncoderWithoutAHeadIsRefusedWithWhatToPublishInstead() throws IOException {
        TinyEncoder.write(directory, TinyEncoder.config(Head.NONE));
        assertThatThrownBy(() -> load())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("tidemill-000007 is a BertModel without a head")
                .hasMessageContaining("BertForSequenceClassification");
    }

    @Test
    void anEncoderWhoseTokenizerIsAnothersIsRefusedByTheMissingToken() throws IOException {
        TinyEncoder.write(directory, THREE);
        Path tokenizer = directory.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace("[CLS]", "<s>"));
        assertThatThrownBy(() -> load()).hasMessageContaining("no token [CLS]");
    }

    private ClassifierEngine classifier(EncoderConfig config) throws IOException {
        TinyEncoder.write(directory, config);
        return (ClassifierEngine) load();
    }

    private FillMaskEngine filler() throws IOException {
        TinyEncoder.write(directory, BODY);
        return (FillMaskEngine) load();
    }

    private Engine load() throws IOException {
        return new ModelLoader(ComputeType.FLOAT32, 1, 1).load("tidemill-000007", directory);
    }

    private static Classification only(ClassifierEngine engine, String text) {
        return engine.classify(List.of(engine.encode(text))).get(0);
    }

    private float[] logits(EncoderInput input) {
        try (EncoderModel model = EncoderModel.load(directory, ComputeType.FLOAT32)) {
            return model.labelLogits(List.of(input))[0];
        }
    }
}
