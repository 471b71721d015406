package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.slice.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class RoundTriggerTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private final RoundTrigger trigger = new RoundTrigger(3, 5, Duration.ofMinutes(10));

    private static List<Waiting> waiting(int count, String stage, Duration age) {
        long at = NOW.minus(age).toEpochMilli();
        return IntStream.range(0, count)
                .mapToObj(i -> new Waiting(new TopicPartition("t", 0), i, at, stage, 1))
                .toList();
    }

    @Test
    void enoughPreferencesOrEnoughSequencesStartARound() {
        assertThat(trigger.reason(waiting(2, Stages.PREFERENCE, Duration.ZERO), NOW))
                .isEmpty();
        assertThat(trigger.reason(waiting(3, Stages.PREFERENCE, Duration.ZERO), NOW))
                .contains("3 new preferences, at least 3 were waited for");
        assertThat(trigger.reason(waiting(4, Stages.PRETRAIN, Duration.ZERO), NOW))
                .isEmpty();
        assertThat(trigger.reason(waiting(5, Stages.SFT, Duration.ZERO), NOW)).isPresent();
    }

    @Test
    void anythingNewThatHasWaitedLongEnoughStartsARound() {
        assertThat(trigger.reason(waiting(1, Stages.SFT, Duration.ofSeconds(599)), NOW))
                .isEmpty();
        assertThat(trigger.reason(waiting(1, Stages.SFT, Duration.ofMinutes(10)), NOW))
                .contains("1 new examples, the oldest waiting for 600 s");
    }

    @Test
    void heldOutExamplesStartNothing() {
        assertThat(trigger.reason(waiting(50, Stages.HELD_OUT, Duration.ofHours(1)), NOW))
                .isEmpty();
        assertThat(trigger.reason(List.of(), NOW)).isEmpty();
    }
}
