package io.tidemill.trainer.round;

import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.slice.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * When a round starts by itself.
 *
 * @param minimumPreferences so many new pairs and ratings to train on …
 * @param minimumSequences   … or so many new token sequences and prompts …
 * @param maximumWait        … or anything new for so long …
 * @param interval           … or anything new so long after the last round
 * @param eventTime          instead of all of these: days, or other windows, of event time
 * @param quietHours         in which none of this starts a round, unless a command has set others
 */
public record RoundTrigger(
        long minimumPreferences,
        long minimumSequences,
        Duration maximumWait,
        Optional<Duration> interval,
        Optional<EventWindows> eventTime,
        Optional<QuietHours> quietHours) {
    private static final Set<String> JUDGEMENTS = Set.of(Stages.PREFERENCE, Stages.RATING);

    public RoundTrigger {
        interval.filter(pause -> pause.isZero() || pause.isNegative()).ifPresent(pause -> {
            throw new IllegalArgumentException("trainer.round.interval must be positive, but was " + pause);
        });
    }

    /** By counts and waiting alone. */
    public RoundTrigger(long minimumPreferences, long minimumSequences, Duration maximumWait) {
        this(minimumPreferences, minimumSequences, maximumWait, Optional.empty(), Optional.empty(), Optional.empty());
    }

    /**
     * A round that is to start.
     *
     * @param reason why now
     * @param before where its slice ends at the latest, by partition; one that is not named ends where was read
     */
    public record Due(String reason, Map<TopicPartition, Long> before) {
        public Due {
            before = Map.copyOf(before);
        }

        /** Of a round for some stages only: what another would train on stays in the log, and all behind it. */
        static Due forStages(String reason, List<String> stages, List<Waiting> waiting) {
            Map<TopicPartition, Long> before = new HashMap<>();
            waiting.stream()
                    .filter(record -> record.trainable() && !stages.contains(record.stage()))
                    .forEach(record -> before.merge(record.partition(), record.offset(), Math::min));
            return new Due(reason, before);
        }

        /** Is something left to train on before these ends? */
        boolean hasWork(List<Waiting> waiting) {
            return waiting.stream()
                    .anyMatch(record -> record.trainable()
                            && record.offset() < before.getOrDefault(record.partition(), Long.MAX_VALUE));
        }

        /** The earlier of two ends, partition by partition. */
        Map<TopicPartition, Long> within(Map<TopicPartition, Long> ends) {
            Map<TopicPartition, Long> cut = new HashMap<>(ends);
            before.forEach((partition, end) -> cut.computeIfPresent(partition, (same, other) -> Math.min(end, other)));
            return cut;
        }
    }

    /**
     * Tells whether a round is due.
     *
     * @param fresh     what no round has tried yet
     * @param lastRound when the last one ended
     */
    public Optional<Due> due(List<Waiting> fresh, Instant lastRound, Instant now) {
        List<Waiting> trainable = fresh.stream().filter(Waiting::trainable).toList();
        if (eventTime.isPresent()) {
            return eventTime.get().due(trainable);
        }
        return reason(trainable, lastRound, now).map(reason -> new Due(reason, Map.of()));
    }

    private Optional<String> reason(List<Waiting> trainable, Instant lastRound, Instant now) {
        long pairs = trainable.stream()
                .filter(record -> JUDGEMENTS.contains(record.stage()))
                .count();
        long sequences = trainable.size() - pairs;
        if (pairs >= minimumPreferences) {
            return Optional.of(pairs + " new preferences, at least " + minimumPreferences + " were waited for");
        }
        if (sequences >= minimumSequences) {
            return Optional.of(sequences + " new texts, at least " + minimumSequences + " were waited for");
        }
        Duration since = Duration.between(lastRound, now);
        if (!trainable.isEmpty() && interval.isPresent() && since.compareTo(interval.get()) >= 0) {
            return Optional.of(trainable.size() + " new examples, " + since.toSeconds() + " s after the last round");
        }
        return trainable.stream().mapToLong(Waiting::timestamp).min().stream()
                .mapToObj(oldest -> Duration.between(Instant.ofEpochMilli(oldest), now))
                .filter(waited -> waited.compareTo(maximumWait) >= 0)
                .map(waited -> trainable.size() + " new examples, the oldest waiting for " + waited.toSeconds() + " s")
                .findFirst();
    }

    /**
     * Tells whether a range that was refused is due for its second try though nothing new has come.
     *
     * @param refused when
     */
    public Optional<String> retryReason(Instant refused, Instant now) {
        Duration waited = Duration.between(refused, now);
        return waited.compareTo(maximumWait) >= 0
                ? Optional.of("it has waited for " + waited.toSeconds() + " s")
                : Optional.empty();
    }

    /**
     * Tumbling windows of event time, counted from 1970, UTC: one round trains on one of them, so that a backfill is learned
     * day by day, as it would have been when it happened.
     *
     * <p>The window that is due is that of the record which is next to be read; of several partitions, of the oldest of
     * those. It is over when something that happened a grace after its end has come. The slice then ends in each partition
     * before the first record of a later window, so that positions stay offsets; a record that comes late, behind younger
     * ones, is learned with the window that it stands in. What has no event time happened when it was appended, and nothing
     * happened later than that, so that a record with a time in the far future ends no window early.
     *
     * @param window length of a window
     * @param grace  how much younger than a window's end the youngest record must be
     */
    public record EventWindows(Duration window, Duration grace) {
        public EventWindows {
            if (window.toMillis() < 1 || grace.isNegative()) {
                throw new IllegalArgumentException("trainer.round.event-window must be positive and event-grace not"
                        + " negative, but they were " + window + " and " + grace);
            }
        }

        Optional<Due> due(List<Waiting> trainable) {
            Map<TopicPartition, List<Waiting>> byPartition = new HashMap<>();
            trainable.forEach(record -> byPartition
                    .computeIfAbsent(record.partition(), partition -> new ArrayList<>())
                    .add(record));
            byPartition.values().forEach(records -> records.sort((a, b) -> Long.compare(a.offset(), b.offset())));
            long next = byPartition.values().stream()
                    .mapToLong(records -> records.get(0).eventTime())
                    .min()
                    .orElse(Long.MAX_VALUE);
            long youngest =
                    trainable.stream().mapToLong(Waiting::eventTime).max().orElse(Long.MIN_VALUE);
            if (byPartition.isEmpty()) {
                return Optional.empty();
            }
            long end = (Math.floorDiv(next, window.toMillis()) + 1) * window.toMillis();
            if (youngest < end + grace.toMillis()) {
                return Optional.empty();
            }
            Map<TopicPartition, Long> before = new HashMap<>();
            byPartition.forEach((partition, records) -> records.stream()
                    .filter(record -> record.eventTime() >= end)
                    .findFirst()
                    .ifPresent(record -> before.put(partition, record.offset())));
            return Optional.of(new Due(
                    "the window of event time from " + Instant.ofEpochMilli(end - window.toMillis()) + " to "
                            + Instant.ofEpochMilli(end) + " is over",
                    before));
        }
    }
}
