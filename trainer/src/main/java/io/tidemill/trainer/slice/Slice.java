package io.tidemill.trainer.slice;

import io.tidemill.proto.v1.SliceRange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
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

    /**
     * Both halves, each partition's range cut in its middle: the older records and the newer ones. A half without any offset
     * is left out.
     */
    public List<Slice> halves() {
        List<OffsetRange> older = new ArrayList<>();
        List<OffsetRange> newer = new ArrayList<>();
        for (OffsetRange range : ranges) {
            long middle = range.from() + (range.to() - range.from()) / 2;
            older.add(new OffsetRange(range.topicPartition(), range.from(), middle));
            newer.add(new OffsetRange(range.topicPartition(), middle, range.to()));
        }
        return Stream.of(new Slice(older), new Slice(newer))
                .map(Slice::withoutEmptyRanges)
                .filter(half -> !half.empty())
                .toList();
    }

    private Slice withoutEmptyRanges() {
        return new Slice(
                ranges.stream().filter(range -> range.from() < range.to()).toList());
    }

    /** The part at or beyond the given offsets; what nothing is left of is left out, a partition without an offset stays whole. */
    public Slice beyond(Map<TopicPartition, Long> offsets) {
        return new Slice(ranges.stream()
                        .map(range -> new OffsetRange(
                                range.topicPartition(),
                                Math.min(
                                        range.to(),
                                        Math.max(range.from(), offsets.getOrDefault(range.topicPartition(), 0L))),
                                range.to()))
                        .toList())
                .withoutEmptyRanges();
    }

    /** What is left to be read once the other has been: all of a partition that lies before the other's end is done. */
    public Slice after(Slice other) {
        Map<TopicPartition, Long> done = new HashMap<>();
        for (OffsetRange range : other.ranges) {
            ranges.stream()
                    .filter(own -> own.topicPartition().equals(range.topicPartition()))
                    .filter(own -> range.from() < own.to() && range.from() < range.to())
                    .forEach(own -> done.put(own.topicPartition(), range.to()));
        }
        return beyond(done);
    }

    /** The offsets that are in both. */
    public Slice and(Slice other) {
        List<OffsetRange> common = new ArrayList<>();
        for (OffsetRange range : other.ranges) {
            ranges.stream()
                    .filter(own -> own.topicPartition().equals(range.topicPartition()))
                    .filter(own -> Math.max(own.from(), range.from()) < Math.min(own.to(), range.to()))
                    .forEach(own -> common.add(new OffsetRange(
                            own.topicPartition(), Math.max(own.from(), range.from()), Math.min(own.to(), range.to()))));
        }
        return new Slice(common);
    }

    /** Are all offsets of the other in it? */
    public boolean covers(Slice other) {
        List<OffsetRange> asked =
                other.ranges.stream().filter(range -> range.from() < range.to()).toList();
        return and(other).ranges.equals(asked);
    }

    /** Is the offset in it? */
    public boolean has(TopicPartition partition, long offset) {
        return ranges.stream()
                .anyMatch(range ->
                        range.topicPartition().equals(partition) && range.from() <= offset && offset < range.to());
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
