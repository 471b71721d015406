package io.tidemill.preprocess.state;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IngestionClockTest {
    private static final long HOUR = 3_600_000;

    @Test
    void whileRecordsComeItIsAsLateAsTheNewestOfThem() {
        IngestionClock clock = new IngestionClock(10 * HOUR);
        clock.observe(2 * HOUR, 10 * HOUR);
        clock.observe(HOUR, 10 * HOUR + 1);

        assertThat(clock.now(10 * HOUR + 2)).isEqualTo(2 * HOUR);
    }

    @Test
    void onAQuietTopicItIsAsLateAsTheWallClock() {
        IngestionClock clock = new IngestionClock(10 * HOUR);
        clock.observe(2 * HOUR, 10 * HOUR);

        assertThat(clock.now(10 * HOUR + 29_999)).isEqualTo(2 * HOUR);
        assertThat(clock.now(10 * HOUR + 30_000)).isEqualTo(10 * HOUR + 30_000);
    }

    @Test
    void afterARestartNothingExpiresBeforeTheLogHasHadTimeToCome() {
        assertThat(new IngestionClock(10 * HOUR).now(10 * HOUR + 5_000)).isZero();
    }
}
