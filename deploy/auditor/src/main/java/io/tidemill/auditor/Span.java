package io.tidemill.auditor;

import io.tidemill.proto.v1.SliceRange;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/** Offsets {@code [from, to)} of one partition. */
record Span(TopicPartition partition, long from, long to) {
    static Span of(SliceRange range) {
        return new Span(
                new TopicPartition(range.getTopic(), range.getPartition()), range.getFromOffset(), range.getToOffset());
    }

    static List<Span> of(List<SliceRange> ranges) {
        return ranges.stream().map(Span::of).toList();
    }

    boolean empty() {
        return from >= to;
    }

    @Override
    public String toString() {
        return partition + ":" + from + ".." + to;
    }
}
