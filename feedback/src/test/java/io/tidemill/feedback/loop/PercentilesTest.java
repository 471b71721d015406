package io.tidemill.feedback.loop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PercentilesTest {
    @Test
    void ninetyFiveOfAHundredDoNotExceedTheNinetyFifth() {
        Percentiles times = new Percentiles();
        for (int i = 100; i >= 1; i--) {
            times.add(i * 1_000_000L);
        }
        assertThat(times.millis(0.5)).isEqualTo(50);
        assertThat(times.millis(0.95)).isEqualTo(95);
        assertThat(times.samples()).isEqualTo(100);
    }

    @Test
    void onlyTheNewestCount() {
        Percentiles times = new Percentiles();
        for (int i = 0; i < 512; i++) {
            times.add(9_000_000_000L);
        }
        for (int i = 0; i < 512; i++) {
            times.add(1_000_000);
        }
        assertThat(times.millis(0.99)).isEqualTo(1);
    }

    @Test
    void withoutSamplesItIsZero() {
        assertThat(new Percentiles().millis(0.5)).isZero();
    }
}
