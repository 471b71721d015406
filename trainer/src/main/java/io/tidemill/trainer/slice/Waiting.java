package io.tidemill.trainer.slice;

import io.tidemill.trainer.data.Stages;
import org.apache.kafka.common.TopicPartition;

/**
 * A record that no version of the lineage has learnt from, as far as the trigger and the cut of a slice need it.
 *
 * @param stage     stage that would use it, or what else becomes of it, named as in {@link Stages}
 * @param timestamp when the broker appended it; milliseconds since the epoch
 * @param tokens    0 where it is text
 */
public record Waiting(TopicPartition partition, long offset, long timestamp, String stage, long tokens) {
    /** Would a stage train on it? */
    public boolean trainable() {
        return Stages.TRAINED.contains(stage);
    }
}
