package io.tidemill.trainer.slice;

import io.tidemill.proto.v1.SliceRange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** A frozen part of the log: one range of offsets a partition, sorted by topic and partition. */
public record Slice(List<OffsetRange> ranges) {
    public static final Slice EMPTY = new Slice(List.of());

    public Slice {
        List<OffsetRange> sorted = new ArrayList<>(ranges);
        sorted.sort(null);
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).topicPartition().equals(sorted.get(i - 1).topicPartition())) {
                throw new IllegalArgumentException(
                        "A slice has one range a partition, but has " + sorted.get(i - 1) + " and " + sorted.get(i));
            }
        }
        ranges = List.copyOf(sorted);
    }

    /** As an event or a manifest tells it. */
    public static Slice of(List<SliceRange> ranges) {
        return new Slice(ranges.stream()
                .map(range -> new OffsetRange(
                        range.getTopic(), range.getPartition(), range.getFromOffset(), range.getToOffset()))
                .toList());
    }

    /** Does it name no offset at all? */
    public boolean empty() {
        return ranges.stream().allMatch(range -> range.from() == range.to());
    }

    /** Where each partition's range ends. */
    public Map<TopicPartition, Long> ends() {
        Map<TopicPartition, Long> ends = new HashMap<>();
        ranges.forEach(range -> ends.put(range.topicPartition(), range.to()));
        return ends;
    }

    /** The part of this slice that lies before the given ends; a partition without an end is left out. */
    public Slice before(Map<TopicPartition, Long> ends) {
        return new Slice(ranges.stream()
                .filter(range -> ends.getOrDefault(range.topicPartition(), 0L) > range.from())
                .map(range -> new OffsetRange(
                        range.topicPartition(), range.from(), Math.min(range.to(), ends.get(range.topicPartition()))))
                .toList());
    }

    /** For the event: with the number of records that were read from each partition. */
    public List<SliceRange> toProto(Map<TopicPartition, Long> records) {
        return ranges.stream()
                .map(range -> SliceRange.newBuilder()
                        .setTopic(range.topic())
                        .setPartition(range.partition())
                        .setFromOffset(range.from())
                        .setToOffset(range.to())
                        .setRecords(records.getOrDefault(range.topicPartition(), 0L))
                        .build())
                .toList();
    }

    /** The later of two positions, partition by partition. */
    public static Map<TopicPartition, Long> latest(Map<TopicPartition, Long> one, Map<TopicPartition, Long> other) {
        Map<TopicPartition, Long> all = new HashMap<>(one);
        other.forEach((partition, offset) -> all.merge(partition, offset, Math::max));
        return all;
    }

    @Override
    public String toString() {
        Map<String, String> text = new TreeMap<>();
        ranges.forEach(range -> text.put(range.topic() + "-" + range.partition(), range.from() + ".." + range.to()));
        return text.toString();
    }
}
