package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class QuietHoursTest {
    private static Optional<String> until(String hours, String now) {
        return QuietHours.parse(hours).until(Instant.parse(now)).map(Instant::toString);
    }

    @Test
    void quietHoursMayPassMidnightAndEndAtTheirMinute() {
        assertThat(until("22:00-06:00", "2026-01-01T21:59:59Z")).isEmpty();
        assertThat(until("22:00-06:00", "2026-01-01T22:00:00Z")).contains("2026-01-02T06:00:00Z");
        assertThat(until("22:00-06:00", "2026-01-02T05:59:59Z")).contains("2026-01-02T06:00:00Z");
        assertThat(until("22:00-06:00", "2026-01-02T06:00:00Z")).isEmpty();
        assertThat(until("09:00-17:30", "2026-01-02T09:00:00Z")).contains("2026-01-02T17:30:00Z");
        assertThat(until("09:00-17:30", "2026-01-02T22:00:00Z")).isEmpty();
    }

    @Test
    void theyAreLocalAndSoIsTheNightInWhichTheClockIsPutForward() {
        // Berlin: 2026-03-29 has no hour from 2 to 3
        assertThat(until("22:00-06:00 Europe/Berlin", "2026-03-28T22:00:00Z")).contains("2026-03-29T04:00:00Z");
        assertThat(until("22:00-06:00 Europe/Berlin", "2026-01-10T21:30:00Z")).contains("2026-01-11T05:00:00Z");
        assertThat(until("22:00-06:00 Europe/Berlin", "2026-01-10T20:30:00Z")).isEmpty();
    }

    @Test
    void whatIsNoTimeIsRefusedByName() {
        assertThatThrownBy(() -> QuietHours.parse("night"))
                .hasMessageContaining("trainer.round.quiet-hours")
                .hasMessageContaining("'night'");
        assertThatThrownBy(() -> QuietHours.parse("22:00-26:00")).hasMessageContaining("26:00");
        assertThatThrownBy(() -> QuietHours.parse("22:00-06:00 Atlantis")).hasMessageContaining("Atlantis");
        assertThatThrownBy(() -> QuietHours.parse("22:00-22:00")).hasMessageContaining("pause instead");
    }
}
