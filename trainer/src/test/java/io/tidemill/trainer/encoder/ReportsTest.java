package io.tidemill.trainer.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.LabelledText;
import java.util.List;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ReportsTest {
    private static final Offset<Double> CLOSE = within(1e-12);

    /**
     * The example of scikit-learn's manual on {@code classification_report}: right 0 1 2 2 2, said 0 0 2 2 1.
     *
     * <pre>
     *   class 0: said twice, once rightly, once right: precision 1/2, recall 1, f1 2/3
     *   class 1: said once, wrongly: 0, 0, 0
     *   class 2: said twice, both rightly, right three times: precision 1, recall 2/3, f1 4/5
     *   macro:    (1/2 + 0 + 1)/3 = 1/2,  (1 + 0 + 2/3)/3 = 5/9,  (2/3 + 0 + 4/5)/3 = 22/45
     *   weighted: (1/2 + 0 + 3)/5 = 7/10, (1 + 0 + 2)/5 = 3/5,    (2/3 + 0 + 12/5)/5 = 46/75
     * </pre>
     */
    @Test
    void singleLabelsAreJudgedAsByScikitLearn() {
        ClassificationReport report = ClassificationReport.of(
                List.of("class 0", "class 1", "class 2"), new int[] {0, 1, 2, 2, 2}, new int[] {0, 0, 2, 2, 1});
        assertThat(report.accuracy()).isCloseTo(0.6, CLOSE);
        assertThat(report.confusion()).containsExactly(List.of(1L, 0L, 0L), List.of(1L, 0L, 0L), List.of(0L, 1L, 2L));
        assertScore(report.perLabel().get(0), 0.5, 1, 2.0 / 3, 1);
        assertScore(report.perLabel().get(1), 0, 0, 0, 1);
        assertScore(report.perLabel().get(2), 1, 2.0 / 3, 0.8, 3);
        assertScore(report.macro(), 0.5, 5.0 / 9, 22.0 / 45, 5);
        assertScore(report.weighted(), 0.7, 0.6, 46.0 / 75, 5);
        assertScore(report.micro(), 0.6, 0.6, 0.6, 5);
        assertThat(report.figures()).containsEntry("accuracy", 0.6).doesNotContainKey("f1");
        assertThat(report.table().lines().toList())
                .contains("class 2          1.0000     0.6667     0.8000         3")
                .contains("accuracy         0.6000  (3 of 5)")
                .contains("class 2               0          1          2");
    }

    /** Two labels: f1 alone is that of the second, as f1_score has it: said twice, once rightly, once right: 2/3. */
    @Test
    void ofTwoLabelsTheSecondIsTheOneLookedFor() {
        ClassificationReport report =
                ClassificationReport.of(List.of("ham", "spam"), new int[] {0, 0, 1}, new int[] {0, 1, 1});
        assertThat(report.figures().get("f1")).isCloseTo(2.0 / 3, CLOSE);
        assertThat(report.figures().get("precision")).isCloseTo(0.5, CLOSE);
        assertThat(report.figures().get("recall")).isCloseTo(1, CLOSE);
    }

    /**
     * Right {0, 2}, {}, {1}, {0}; said {0}, {}, {1, 2}, {1}.
     *
     * <pre>
     *   label 0: hit 1, said 1, right 2: 1, 1/2, 2/3
     *   label 1: hit 1, said 2, right 1: 1/2, 1, 2/3
     *   label 2: hit 0, said 1, right 1: 0, 0, 0
     *   micro:   hit 2, said 4, right 4: 1/2, 1/2, 1/2;   macro f1 4/9;   weighted f1 (2·2/3 + 2/3 + 0)/4 = 1/2
     *   all right: the second text of four
     * </pre>
     */
    @Test
    void severalLabelsAreJudgedAsByScikitLearn() {
        MultiLabelReport report = MultiLabelReport.of(
                List.of("a", "b", "c"),
                List.of(Set.of(0, 2), Set.of(), Set.of(1), Set.of(0)),
                List.of(Set.of(0), Set.of(), Set.of(1, 2), Set.of(1)));
        assertScore(report.perLabel().get(0), 1, 0.5, 2.0 / 3, 2);
        assertScore(report.perLabel().get(1), 0.5, 1, 2.0 / 3, 1);
        assertScore(report.perLabel().get(2), 0, 0, 0, 1);
        assertScore(report.micro(), 0.5, 0.5, 0.5, 4);
        assertThat(report.macro().f1()).isCloseTo(4.0 / 9, CLOSE);
        assertThat(report.weighted().f1()).isCloseTo(0.5, CLOSE);
        assertThat(report.subset()).isEqualTo(0.25);
        assertThat(report.table()).contains("all right        0.2500  (of 4)");
    }

    /** Right 1, 2, 3, said 2, 2, 5: squares 1, 0, 4; absolute 1, 0, 2; Pearson 3/√(2·6) = √3/2. */
    @Test
    void scoresAreJudgedByTheirDistanceAndTheirOrder() {
        ScoreReport report = ScoreReport.of(new double[] {1, 2, 3}, new double[] {2, 2, 5});
        assertThat(report.meanSquaredError()).isCloseTo(5.0 / 3, CLOSE);
        assertThat(report.meanAbsoluteError()).isCloseTo(1, CLOSE);
        assertThat(report.correlation()).isCloseTo(Math.sqrt(3) / 2, CLOSE);
        assertThat(ScoreReport.of(new double[] {1, 2}, new double[] {3, 3}).correlation())
                .isZero();
    }

    /**
     * log(e^0 + e^1) − 1 for label 1 of logits 0, 1; for several, of which the first is right: (log(1 + e^0) + log(1 + e^1))/2;
     * for a score of 3: (1.5 − 3)².
     */
    @Test
    void lossesAreThoseThatAreLearntBy() {
        EncoderInput input = EncoderInput.of(1);
        assertThat(EncoderEvaluation.loss(Problem.SINGLE, new LabelledText(input, 1), new float[] {0, 1}))
                .isCloseTo(Math.log(1 + Math.E) - 1, CLOSE);
        assertThat(EncoderEvaluation.loss(Problem.MULTIPLE, LabelledText.of(input, Set.of(0)), new float[] {0, 1}))
                .isCloseTo((Math.log(2) + Math.log(1 + Math.E)) / 2, CLOSE);
        assertThat(EncoderEvaluation.loss(Problem.SCORE, LabelledText.scored(input, 3), new float[] {1.5f}))
                .isCloseTo(2.25, CLOSE);
    }

    @Test
    void asManyAnswersAreWantedAsTexts() {
        assertThatThrownBy(() -> ClassificationReport.of(List.of("a"), new int[2], new int[1]))
                .hasMessageContaining("2 texts")
                .hasMessageContaining("1");
    }

    private static void assertScore(LabelScore score, double precision, double recall, double f1, long support) {
        assertThat(score.precision()).isCloseTo(precision, CLOSE);
        assertThat(score.recall()).isCloseTo(recall, CLOSE);
        assertThat(score.f1()).isCloseTo(f1, CLOSE);
        assertThat(score.support()).isEqualTo(support);
    }
}
