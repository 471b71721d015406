package io.tidemill.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    private static Scores ones(double... values) {
        double[] weights = new double[values.length];
        Arrays.fill(weights, 1);
        return new Scores(values, weights);
    }

    @Test
    void holmHoldsTheSmallestAgainstAlphaOverAllAndStopsAtTheFirstThatFails() {
        // α = 0.05, m = 3: 0.01 ≤ 0.05/3 = 0.0167; then 0.02 ≤ 0.05/2 = 0.025; then 0.06 > 0.05
        assertThat(Holm.decide(new double[] {0.06, 0.01, 0.02}, 0.05))
                .extracting(Holm.Decision::rejected)
                .containsExactly(false, true, true);
        // 0.02 > 0.0167: nothing after it is rejected, though 0.03 ≤ 0.05 alone
        assertThat(Holm.decide(new double[] {0.03, 0.02, 0.021}, 0.05))
                .extracting(Holm.Decision::rejected)
                .containsExactly(false, false, false);
        assertThat(Holm.decide(new double[0], 0.05)).isEmpty();
    }

    @Test
    void wilsonsIntervalIsTheOneOfTheTextbook() {
        // 8 of 10: (0.8 + 3.8415/20 ± 1.95996 √(0.016 + 3.8415/400)) / 1.38415
        //        = (0.99207 ± 1.95996 · 0.160011) / 1.38415 = 0.71674 ± 0.22658
        Interval interval = Interval.wilson(0.8, 10);
        assertThat(interval.low()).isCloseTo(0.4902, within(1e-4));
        assertThat(interval.high()).isCloseTo(0.9433, within(1e-4));
    }

    @Test
    void percentilesInterpolateBetweenOrderStatistics() {
        // 0 … 40: places 0.025 · 40 = 1 and 0.975 · 40 = 39
        double[] values = new double[41];
        for (int i = 0; i < values.length; i++) {
            values[i] = 40 - i;
        }
        assertThat(Interval.ofPercentiles(values)).isEqualTo(new Interval(1, 39));
    }

    @Test
    void theSameShiftOnEveryExampleHasNoSpreadHoweverDifferentTheExamplesAre() {
        Scores before = ones(1, 50, 3, 700, 20);
        Scores after = ones(1.5, 50.5, 3.5, 700.5, 20.5);
        for (double difference : PairedBootstrap.of(before, after, 200, 1).differences()) {
            assertThat(difference).isCloseTo(0.5, within(1e-9));
        }
    }

    @Test
    void theFigureWeighsExamplesByTheirTokens() {
        // (2 + 6) nats over (1 + 3) tokens
        assertThat(new Scores(new double[] {2, 6}, new double[] {1, 3}).mean()).isEqualTo(2);
    }

    @Test
    void theSpreadOfTheBootstrapIsTheStandardErrorOfTheMean() {
        // 400 differences of standard deviation 1: 95 % within ± 1.96 / 20 = 0.098 of the mean
        Random random = new Random(5);
        double[] before = new double[400];
        double[] after = new double[400];
        for (int i = 0; i < 400; i++) {
            after[i] = random.nextGaussian();
        }
        PairedBootstrap bootstrap = PairedBootstrap.of(ones(before), ones(after), 4000, 9);
        Interval interval = Interval.ofPercentiles(bootstrap.differences());
        assertThat((interval.high() - interval.low()) / 2).isCloseTo(0.098, within(0.012));
    }

    @Test
    void theSameSeedGivesTheSameResamples() {
        Scores before = ones(1, 2, 3, 4, 5, 6, 7);
        Scores after = ones(2, 1, 3, 5, 4, 6, 8);
        assertThat(PairedBootstrap.of(before, after, 100, 3).differences())
                .isEqualTo(PairedBootstrap.of(before, after, 100, 3).differences())
                .isNotEqualTo(PairedBootstrap.of(before, after, 100, 4).differences());
    }

    @Test
    void aCandidateWorseThanTheMarginIsNeverShownNotToBeWorse() {
        // loss rises by 0.5 on every example, the margin is 0.1: all resamples are inferior
        PairedBootstrap worse = PairedBootstrap.of(ones(1, 2, 3), ones(1.5, 2.5, 3.5), 999, 1);
        assertThat(worse.probabilityOfInferiority(0.1, -1)).isEqualTo(1);
        // an accuracy that rises by 0.5: none is
        assertThat(worse.probabilityOfInferiority(0.1, 1)).isEqualTo(1 / 1000.0);
    }
}
