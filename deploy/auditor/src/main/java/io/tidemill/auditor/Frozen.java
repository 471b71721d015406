package io.tidemill.auditor;

import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * Where a topic's partitions began and ended when they were looked at. Below the beginning retention has taken the
 * records; from the end on nothing counts.
 */
record Frozen(Map<TopicPartition, Long> beginnings, Map<TopicPartition, Long> ends) {
    Frozen {
        beginnings = Map.copyOf(beginnings);
        ends = Map.copyOf(ends);
    }

    /** Has retention taken any of these offsets? */
    boolean hasLost(Span span) {
        return !span.empty() && beginnings.getOrDefault(span.partition(), 0L) > span.from();
    }

    /** Has retention taken anything? */
    boolean hasLost() {
        return beginnings.values().stream().anyMatch(beginning -> beginning > 0);
    }
}
