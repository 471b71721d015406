package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.round.RoundTrigger.Due;
import io.tidemill.trainer.round.RoundTrigger.EventWindows;
import io.tidemill.trainer.slice.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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

    private Optional<String> reason(List<Waiting> fresh, Instant now) {
        return trigger.due(fresh, NOW.minus(Duration.ofMinutes(1)), now).map(RoundTrigger.Due::reason);
    }

    @Test
    void enoughPreferencesOrEnoughSequencesStartARound() {
        assertThat(reason(waiting(2, Stages.PREFERENCE, Duration.ZERO), NOW)).isEmpty();
        assertThat(reason(waiting(3, Stages.PREFERENCE, Duration.ZERO), NOW))
                .contains("3 new preferences, at least 3 were waited for");
        assertThat(reason(waiting(4, Stages.PRETRAIN, Duration.ZERO), NOW)).isEmpty();
        assertThat(reason(waiting(5, Stages.SFT, Duration.ZERO), NOW)).isPresent();
    }

    @Test
    void anythingNewThatHasWaitedLongEnoughStartsARound() {
        assertThat(reason(waiting(1, Stages.SFT, Duration.ofSeconds(599)), NOW)).isEmpty();
        assertThat(reason(waiting(1, Stages.SFT, Duration.ofMinutes(10)), NOW))
                .contains("1 new examples, the oldest waiting for 600 s");
    }

    @Test
    void heldOutExamplesStartNothing() {
        assertThat(reason(waiting(50, Stages.HELD_OUT, Duration.ofHours(1)), NOW))
                .isEmpty();
        assertThat(reason(List.of(), NOW)).isEmpty();
    }

    @Test
    void anythingNewStartsARoundWhenTheIntervalSinceTheLastIsOver() {
        RoundTrigger hourly = new RoundTrigger(
                100, 100, Duration.ofDays(9), Optional.of(Duration.ofHours(1)), Optional.empty(), Optional.empty());
        List<Waiting> one = waiting(1, Stages.SFT, Duration.ZERO);
        assertThat(hourly.due(one, NOW.minusSeconds(3599), NOW)).isEmpty();
        assertThat(hourly.due(one, NOW.minusSeconds(3600), NOW))
                .contains(new Due("1 new examples, 3600 s after the last round", Map.of()));
        assertThat(hourly.due(List.of(), NOW.minusSeconds(9999), NOW)).isEmpty();
    }

    // ---- event time -------------------------------------------------------------------------------------------------

    private static final TopicPartition A = new TopicPartition("a", 0);
    private static final TopicPartition B = new TopicPartition("b", 0);
    private final RoundTrigger daily = new RoundTrigger(
            1,
            1,
            Duration.ZERO,
            Optional.empty(),
            Optional.of(new EventWindows(Duration.ofDays(1), Duration.ofHours(2))),
            Optional.empty());

    /** Of a backfill: appended long after it happened. */
    private static Waiting happened(TopicPartition partition, long offset, String at) {
        return new Waiting(
                partition,
                offset,
                NOW.toEpochMilli(),
                Stages.PRETRAIN,
                1,
                Instant.parse(at).toEpochMilli());
    }

    private Optional<Due> due(List<Waiting> fresh) {
        return daily.due(fresh, Instant.EPOCH, NOW);
    }

    @Test
    void aWindowOfEventTimeIsOverWhenSomethingAGraceYoungerHasCome() {
        List<Waiting> day = List.of(happened(A, 0, "2025-03-01T08:00:00Z"), happened(A, 1, "2025-03-01T23:00:00Z"));
        assertThat(due(day)).isEmpty();
        assertThat(due(with(day, happened(A, 2, "2025-03-02T01:59:59Z")))).isEmpty();
        assertThat(due(with(day, happened(A, 2, "2025-03-02T02:00:00Z"))))
                .contains(new Due(
                        "the window of event time from 2025-03-01T00:00:00Z to 2025-03-02T00:00:00Z is over",
                        Map.of(A, 2L)));
        assertThat(due(List.of())).isEmpty();
    }

    @Test
    void theOldestOfThePartitionsIsNextAndOneThatIsAheadWaits() {
        List<Waiting> waiting = List.of(
                happened(A, 4, "2025-03-02T08:00:00Z"),
                happened(A, 5, "2025-03-03T08:00:00Z"),
                happened(B, 7, "2025-03-01T08:00:00Z"),
                happened(B, 9, "2025-03-02T08:00:00Z"));
        assertThat(due(waiting).orElseThrow().before()).isEqualTo(Map.of(A, 4L, B, 9L));
        assertThat(due(waiting.subList(0, 2)).orElseThrow().before()).isEqualTo(Map.of(A, 5L));
    }

    @Test
    void whatComesLateBehindYoungerRecordsIsTakenWithThemAndHoldsNothingUp() {
        List<Waiting> waiting = List.of(
                happened(A, 0, "2025-03-02T08:00:00Z"),
                happened(A, 1, "2025-03-01T08:00:00Z"), // late
                happened(A, 2, "2025-03-02T09:00:00Z"),
                happened(A, 3, "2025-03-03T09:00:00Z"),
                happened(A, 4, "2025-03-02T10:00:00Z"));
        assertThat(due(waiting).orElseThrow().before()).isEqualTo(Map.of(A, 3L));
    }

    @Test
    void aRoundForSomeStagesEndsBeforeWhatAnotherWouldTrainOn() {
        List<Waiting> waiting = List.of(
                new Waiting(A, 3, 0, Stages.PREFERENCE, 0),
                new Waiting(A, 4, 0, Stages.HELD_OUT, 0),
                new Waiting(A, 5, 0, Stages.RATING, 0),
                new Waiting(A, 6, 0, Stages.PREFERENCE, 0),
                new Waiting(B, 0, 0, Stages.PRETRAIN, 9));
        Due due = Due.forStages("asked for", List.of(Stages.PREFERENCE), waiting);
        assertThat(due.before()).isEqualTo(Map.of(A, 5L, B, 0L));
        assertThat(due.hasWork(waiting)).isTrue();
        assertThat(due.within(Map.of(A, 9L, B, 4L))).isEqualTo(Map.of(A, 5L, B, 0L));
        assertThat(due.within(Map.of(A, 4L))).isEqualTo(Map.of(A, 4L));
        assertThat(Due.forStages("asked for", List.of(Stages.SFT), waiting).hasWork(waiting))
                .isFalse();
    }

    private static List<Waiting> with(List<Waiting> some, Waiting one) {
        return Stream.concat(some.stream(), Stream.of(one)).toList();
    }
}
