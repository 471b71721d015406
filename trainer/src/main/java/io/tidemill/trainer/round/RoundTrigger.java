package io.tidemill.trainer.round;

import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.slice.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * When a round starts by itself.
 *
 * @param minimumPreferences so many new pairs and ratings to train on …
 * @param minimumSequences   … or so many new token sequences and prompts …
 * @param maximumWait        … or anything new for so long
 */
public record RoundTrigger(long minimumPreferences, long minimumSequences, Duration maximumWait) {
    private static final Set<String> JUDGEMENTS = Set.of(Stages.PREFERENCE, Stages.RATING);

    /**
     * Tells whether a round is due.
     *
     * @param fresh what no round has tried yet
     * @return why to start now
     */
    public Optional<String> reason(List<Waiting> fresh, Instant now) {
        List<Waiting> trainable = fresh.stream().filter(Waiting::trainable).toList();
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
}
