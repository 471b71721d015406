package io.tidemill.trainer.slice;

import java.util.Comparator;
import org.apache.kafka.common.TopicPartition;

/**
 * Offsets {@code [from, to)} of one partition. Transaction markers occupy offsets too, so {@code to - from} is not a
 * number of records.
 */
public record OffsetRange(String topic, int partition, long from, long to) implements Comparable<OffsetRange> {
    private static final Comparator<OffsetRange> ORDER =
            Comparator.comparing(OffsetRange::topic).thenComparingInt(OffsetRange::partition);

    public OffsetRange {
        if (from < 0 || to < from) {
            throw new IllegalArgumentException("Offsets of " + topic + "-" + partition
                    + " must satisfy 0 ≤ from ≤ to, but were " + from + " and " + to);
        }
    }

    public OffsetRange(TopicPartition partition, long from, long to) {
        this(partition.topic(), partition.partition(), from, to);
    }

    public TopicPartition topicPartition() {
        return new TopicPartition(topic, partition);
    }

    @Override
    public int compareTo(OffsetRange other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return topic + "-" + partition + ":" + from + ".." + to;
    }
}
