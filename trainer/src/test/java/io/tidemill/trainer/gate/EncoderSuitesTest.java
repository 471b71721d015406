package io.tidemill.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.trainer.encoder.EncoderExample;
import io.tidemill.trainer.encoder.MaskableText;
import io.tidemill.trainer.encoder.Masking;
import io.tidemill.trainer.gate.LabelSuite.Figure;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EncoderSuitesTest {
    private static final Masking HALF = new Masking(0.5, 0.8, 0.1, false, 4, 100);

    /** Says 2 nats for each masked token; of a text its first two ids as logits. */
    private static final EncoderScoring ASKED = new EncoderScoring() {
        @Override
        public double[] maskedLosses(List<MaskedText> texts) {
            return texts.stream().mapToDouble(text -> 2.0 * text.lossTokens()).toArray();
        }

        @Override
        public float[][] labelLogits(List<EncoderInput> inputs) {
            return inputs.stream()
                    .map(input -> new float[] {input.ids()[0], input.ids()[1]})
                    .toArray(float[][]::new);
        }
    };

    private static MaskableText maskable(String id, int length) {
        int[] ids = IntStream.range(10, 10 + length).toArray();
        int[] words = IntStream.range(0, length).toArray();
        return new MaskableText(id, EncoderInput.of(ids), words);
    }

    private static MaskedLossSuite masked(MaskableText... texts) {
        return MaskedLossSuite.of("held-out-loss", List.of(texts), HALF, 0.02, 1);
    }

    @Test
    void textsAreMaskedAlikeWheneverTheyAreJudgedAndEachMaskedTokenCountsOnce() {
        MaskedLossSuite suite = masked(maskable("a", 40), maskable("b", 20));
        MaskedLossSuite again = masked(maskable("b", 20), maskable("a", 40));
        assertThat(again.exampleIds()).containsExactlyInAnyOrderElementsOf(suite.exampleIds());
        Scores scores = new Scores(suite.score(ASKED, new int[] {0, 1}), suite.weights());
        assertThat(suite.weights()[0]).isBetween(8.0, 32.0).isGreaterThan(suite.weights()[1]);
        assertThat(scores.mean()).isEqualTo(2);
        assertThat(suite.sign()).isEqualTo(-1);
    }

    @Test
    void aTextInWhichNothingIsMaskedIsNoPartOfTheSuite() {
        MaskedLossSuite suite =
                MaskedLossSuite.of("held-out-loss", List.of(maskable("a", 5), maskable("b", 5)), HALF.with(0), 0.02, 1);
        assertThat(suite.texts()).isEmpty();
    }

    @Test
    void otherMasksAreAnotherExampleSoThatNoOldScoreIsTakenForThem() {
        List<MaskableText> texts = List.of(maskable("a", 40));
        assertThat(MaskedLossSuite.of("x", texts, HALF.with(0.3), 0, 1).exampleIds())
                .isNotEqualTo(MaskedLossSuite.of("x", texts, HALF, 0, 1).exampleIds());
    }

    private static EncoderExample labelled(int first, int second, Integer... labels) {
        return EncoderExample.of(first + "-" + second, EncoderInput.of(new int[] {first, second}), Set.of(labels));
    }

    private static LabelSuite suite(Figure figure, Problem problem, EncoderExample... examples) {
        return new LabelSuite("label-accuracy", figure, problem, List.of(examples), 0.02, 1);
    }

    @Test
    void oneLabelIsRightWhereItsLogitIsTheLargestAndItsLossIsThatOfTheSoftmax() {
        EncoderExample[] texts = {labelled(3, 1, 0), labelled(3, 1, 1)};
        LabelSuite accuracy = suite(Figure.ACCURACY, Problem.SINGLE, texts);
        assertThat(accuracy.score(ASKED, new int[] {0, 1})).containsExactly(1, 0);
        assertThat(accuracy.sign()).isEqualTo(1);
        assertThat(accuracy.unit()).isEqualTo("share of texts");
        LabelSuite loss = suite(Figure.LOSS, Problem.SINGLE, texts);
        assertThat(loss.sign()).isEqualTo(-1);
        assertThat(loss.score(ASKED, new int[] {1, 0}))
                .containsExactly(new double[] {2 + Math.log1p(Math.exp(-2)), Math.log1p(Math.exp(-2))}, within(1e-6));
    }

    @Test
    void severalLabelsMustAllBeRight() {
        LabelSuite accuracy =
                suite(Figure.ACCURACY, Problem.MULTIPLE, labelled(1, 2, 0, 1), labelled(1, 2, 0), labelled(0, 2, 1));
        assertThat(accuracy.score(ASKED, new int[] {0, 1, 2})).containsExactly(1, 0, 1);
    }

    @Test
    void aScoreIsJudgedByItsSquaredErrorAndByNothingElse() {
        EncoderExample scored = EncoderExample.scored("a", EncoderInput.of(new int[] {3, 0}), 1.5);
        LabelSuite loss = suite(Figure.LOSS, Problem.SCORE, scored);
        assertThat(loss.score(ASKED, new int[] {0})).containsExactly(2.25);
        assertThat(loss.unit()).isEqualTo("squared error");
        assertThatThrownBy(() -> suite(Figure.ACCURACY, Problem.SCORE, scored)).hasMessageContaining("label-accuracy");
    }

    @Test
    void theSameTextUnderAnotherLabelIsAnotherExample() {
        assertThat(suite(Figure.LOSS, Problem.SINGLE, labelled(3, 1, 0), labelled(3, 1, 1))
                        .exampleIds())
                .doesNotHaveDuplicates();
    }
}
