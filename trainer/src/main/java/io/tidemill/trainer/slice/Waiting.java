package io.tidemill.trainer.slice;

import io.tidemill.trainer.data.Stages;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * A record that no version of the lineage has learnt from, as far as the trigger and the cut of a slice need it.
 *
 * @param stage     stage that would use it, or what else becomes of it, named as in {@link Stages}
 * @param timestamp when the broker appended it; milliseconds since the epoch
 * @param tokens    0 where it is text
 * @param eventTime when it happened, as its producer says, but not later than it was appended; milliseconds since the epoch
 */
public record Waiting(
        TopicPartition partition, long offset, long timestamp, String stage, long tokens, long eventTime) {
    private static final Set<String> TRAINED = Set.of(
            Stages.PRETRAIN,
            Stages.SFT,
            Stages.PREFERENCE,
            Stages.RATING,
            Stages.ROLLOUT,
            Stages.MASKED_LM,
            Stages.CLASSIFICATION);

    /** It happened when it was appended. */
    public Waiting(TopicPartition partition, long offset, long timestamp, String stage, long tokens) {
        this(partition, offset, timestamp, stage, tokens, timestamp);
    }

    /** Would a stage train on it? */
    public boolean trainable() {
        return isTrained(stage);
    }

    /** Is it a stage that weights come from, and not another thing that becomes of an example? */
    public static boolean isTrained(String stage) {
        return TRAINED.contains(stage);
    }
}
