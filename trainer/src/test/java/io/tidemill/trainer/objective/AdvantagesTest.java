package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Edges of advantages and penalties; their numbers are compared in {@link PoliciesAgainstReferencesTest}. */
class AdvantagesTest {
    @Test
    void aTokenAloneIsAsGoodAsTheMean() {
        List<double[]> alone = List.of(new double[] {3});
        GeneralisedAdvantage.whiten(alone);
        assertThat(alone.get(0)).containsExactly(0);

        List<double[]> rewards = List.of(new double[] {3});
        GlobalAdvantages.of(rewards);
        assertThat(rewards.get(0)).containsExactly(0);

        for (GroupAdvantages.Scale scale : GroupAdvantages.Scale.values()) {
            assertThat(GroupAdvantages.centred(List.of(new double[] {3}), scale).get(0))
                    .as(scale.name())
                    .containsExactly(0);
        }
    }

    @Test
    void tokensThatWereAllEquallyGoodStayFinite() {
        List<double[]> equal = List.of(new double[] {2, 2}, new double[] {2});
        GeneralisedAdvantage.whiten(equal);
        assertThat(equal.get(0)).containsExactly(0, 0);
        assertThat(GroupAdvantages.leaveOneOut(List.of(new double[] {2, 2, 2}), true)
                        .get(0))
                .containsExactly(0, 0, 0);
    }

    @Test
    void withoutDiscountAndWithLambdaOfOneAnAdvantageIsWhatCameLessWhatWasExpected() {
        // r = 1, 2, 4 and V = 0.5, 1, 3, 10: A = 7 − 0.5, 6 − 1, 4 − 3; cut off, V of 10 comes after.
        GeneralisedAdvantage estimate = new GeneralisedAdvantage(1, 1);
        double[] rewards = {1, 2, 4};
        double[] values = {0.5, 1, 3, 10};
        assertThat(estimate.of(rewards, values, false).advantages()).containsExactly(6.5, 5, 1);
        assertThat(estimate.of(rewards, values, false).returns()).containsExactly(7, 6, 4);
        assertThat(estimate.of(rewards, values, true).advantages()).containsExactly(16.5, 15, 11);
    }

    @Test
    void estimatesOutOfRangeOrOfAnotherLengthAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GeneralisedAdvantage(1.01, 0.95))
                .withMessage("gamma must be between 0 and 1, but was 1.01");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GeneralisedAdvantage(1, -0.1))
                .withMessage("lambda must be between 0 and 1, but was -0.1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new GeneralisedAdvantage(1, 1).of(new double[2], new double[4], false))
                .withMessage("An answer of 2 tokens has 3 values, but there are 4");
    }

    @Test
    void penaltiesAndControlsThatCannotWorkAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> KlPenalty.rewards(new double[2], new double[1], 1, 0.1))
                .withMessage("An answer of 2 tokens has 1 log-probabilities of the reference");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> KlPenalty.rewards(new double[0], new double[0], 1, 0.1))
                .withMessageContaining("0 tokens");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AdaptiveKl(0.2, 0, 10_000))
                .withMessage("kl-target must be above 0, but was 0.0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AdaptiveKl(0, 6, 10_000))
                .withMessage("kl-coefficient must be above 0, but was 0.0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new AdaptiveKl(0.2, 6, 0))
                .withMessage("kl-horizon must be above 0, but was 0.0");
    }

    @Test
    void aCoefficientThatIsAdaptedComesBackToItsTarget() {
        // A policy whose divergence falls as the coefficient rises: KL = 1/β, so that the target of 4 asks for β of
        // 0.25.
        AdaptiveKl control = new AdaptiveKl(2, 4, 1000);
        double beta = control.initial();
        for (int harvest = 0; harvest < 400; harvest++) {
            beta = control.after(beta, 1 / beta, 100);
        }
        assertThat(beta).isCloseTo(0.25, within(1e-6));
    }
}
