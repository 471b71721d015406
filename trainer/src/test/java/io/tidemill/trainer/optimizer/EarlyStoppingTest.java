package io.tidemill.trainer.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class EarlyStoppingTest {
    private static boolean[] stops(EarlyStopping stopping, double... metrics) {
        boolean[] said = new boolean[metrics.length];
        for (int i = 0; i < metrics.length; i++) {
            said[i] = stopping.stopsAfter(metrics[i]);
        }
        return said;
    }

    @Test
    void itStopsAfterSoManyEvaluationsInARowThatWereNoBetter() {
        assertThat(stops(new EarlyStopping(2, 0, false), 3, 2, 2, 1.9, 2, 2.5))
                .containsExactly(false, false, false, false, false, true);
        assertThat(stops(new EarlyStopping(1, 0, true), 0.5, 0.6, 0.6)).containsExactly(false, false, true);
    }

    /**
     * As the callback has it: 0.95 beats 1 by less than 0.1 and counts as no better, yet it is the best from then on, so that
     * 0.88 beats it by 0.07, which again is not enough, though it beats 1 by 0.12.
     */
    @Test
    void whatIsBetterByLessThanTheThresholdIsTheBestAndDoesNotCount() {
        EarlyStopping stopping = new EarlyStopping(2, 0.1, false);
        assertThat(stops(stopping, 1, 0.95, 0.88)).containsExactly(false, false, true);
        assertThat(stopping.best()).isEqualTo(0.88);
    }

    @Test
    void itGoesOnWhereItWas() {
        EarlyStopping before = new EarlyStopping(2, 0, false);
        stops(before, 1, 2);
        EarlyStopping after = new EarlyStopping(2, 0, false);
        after.restore(before.memory());
        assertThat(after.stopsAfter(3)).isTrue();
        assertThat(after.best()).isEqualTo(1);
    }

    @Test
    void aMetricThatIsNotANumberIsNoBetter() {
        assertThat(stops(new EarlyStopping(1, 0, true), Double.NaN, 0.5, Double.NaN))
                .containsExactly(false, false, true);
        EarlyStopping never = new EarlyStopping(2, 0, true);
        assertThat(stops(never, Double.NaN, Double.NaN, Double.NaN)).containsExactly(false, false, true);
        assertThat(never.memory()).containsOnlyKeys("worse");
        assertThatThrownBy(() -> new EarlyStopping(0, 0, true)).hasMessageContaining("0");
    }
}
