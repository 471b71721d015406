package io.tidemill.trainer.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
    @Test
    void itRisesLinearlyToThePeakAndFallsLinearlyTowardsTheFloor() {
        // w = 4, n = 8, peak 1: 1/4 … 4/4, then p = 0, 1/4, 2/4, 3/4
        LearningRateSchedule schedule = new LearningRateSchedule(1, 0, 4, 8, Decay.LINEAR);
        double[] expected = {0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25};
        for (int step = 1; step <= 8; step++) {
            assertThat(schedule.at(step)).isCloseTo(expected[step - 1], within(1e-12));
        }
        assertThat(schedule.at(9)).isZero();
        assertThat(schedule.at(1000)).isZero();
    }

    @Test
    void theCosineIsHalfWayDownInTheMiddle() {
        // p = 2/4: (1 + cos π/2) / 2 = 1/2, between floor 1 and peak 3: 2
        LearningRateSchedule schedule = new LearningRateSchedule(3, 1, 0, 4, Decay.COSINE);
        assertThat(schedule.at(1)).isEqualTo(3);
        assertThat(schedule.at(3)).isCloseTo(2, within(1e-12));
        assertThat(schedule.at(99)).isCloseTo(1, within(1e-12));
    }

    @Test
    void aConstantStaysAtThePeak() {
        assertThat(LearningRateSchedule.over(10, 0.5, 0, Decay.CONSTANT).at(10)).isEqualTo(0.5);
    }

    @Test
    void noStepOfTheStageHasTheRateZero() {
        for (Decay decay : Decay.values()) {
            for (int steps = 1; steps < 50; steps++) {
                LearningRateSchedule schedule = LearningRateSchedule.over(steps, 1e-3, 0.1, decay);
                for (int step = 1; step <= steps; step++) {
                    assertThat(schedule.at(step))
                            .as("%s, step %d of %d", decay, step, steps)
                            .isPositive();
                }
            }
        }
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        assertThatThrownBy(() -> new LearningRateSchedule(1, 0, -1, 10, Decay.LINEAR))
                .hasMessage("warmupSteps must not be negative, but was -1");
        assertThatThrownBy(() -> new LearningRateSchedule(Double.NaN, 0, 0, 10, Decay.LINEAR))
                .hasMessage("peak must be positive and finite, but was NaN");
    }
}
