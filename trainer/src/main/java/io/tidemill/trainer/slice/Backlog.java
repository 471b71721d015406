package io.tidemill.trainer.slice;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;

/**
 * What waits in the log beyond the lineage's position, kept up to date by {@link #poll}. Holds a few numbers a record,
 * for {@code capacity} records at most; then it reads no further until it is restarted.
 *
 * <p>For one thread. The consumer is {@code read_committed} with {@code auto.offset.reset=none}.
 */
public final class Backlog implements AutoCloseable {
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final Function<ConsumerRecord<byte[], byte[]>, Waiting> classify;
    private final int capacity;

    private final List<Waiting> waiting = new ArrayList<>();
    private final Map<TopicPartition, Long> from = new HashMap<>();
    private Consumer<byte[], byte[]> consumer;
    private BiPredicate<TopicPartition, Long> waits;

    public Backlog(
            Supplier<Consumer<byte[], byte[]>> consumers,
            Function<ConsumerRecord<byte[], byte[]>, Waiting> classify,
            int capacity) {
        this.consumers = consumers;
        this.classify = classify;
        this.capacity = capacity;
    }

    /**
     * Forgets all and reads anew from the given offsets, or from the log's beginning where that is later or nothing is
     * given.
     *
     * @param waits tells of a record by partition and offset whether it still waits
     */
    public void restart(
            List<String> topics, Map<TopicPartition, Long> offsets, BiPredicate<TopicPartition, Long> waits) {
        close();
        this.waits = waits;
        waiting.clear();
        from.clear();
        consumer = consumers.get();
        List<TopicPartition> partitions = topics.stream()
                .flatMap(topic -> consumer.partitionsFor(topic).stream())
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.beginningOffsets(partitions)
                .forEach((partition, beginning) ->
                        from.put(partition, Math.max(beginning, offsets.getOrDefault(partition, 0L))));
        from.forEach(consumer::seek);
    }

    /** Reads what has come; waits for it at most {@code atMost}; true if anything has come. */
    public boolean poll(Duration atMost) {
        if (waiting.size() >= capacity) {
            consumer.pause(consumer.assignment());
        }
        try {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(atMost);
            for (ConsumerRecord<byte[], byte[]> record : records) {
                if (waits.test(new TopicPartition(record.topic(), record.partition()), record.offset())) {
                    waiting.add(classify.apply(record));
                }
            }
            return !records.isEmpty();
        } catch (OffsetOutOfRangeException e) {
            Map<TopicPartition, Long> positions = new HashMap<>(e.offsetOutOfRangePartitions());
            consumer.beginningOffsets(positions.keySet()).forEach(consumer::seek);
            return false;
        }
    }

    /** Has everything been read that was committed when asked? */
    public boolean caughtUp() {
        return waiting.size() >= capacity
                || consumer.endOffsets(consumer.assignment()).entrySet().stream()
                        .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    /** Everything that waits, in no particular order between partitions. */
    public List<Waiting> waiting() {
        return List.copyOf(waiting);
    }

    /** Where reading began, by partition. */
    public Map<TopicPartition, Long> from() {
        return Map.copyOf(from);
    }

    /** Up to where was read, by partition. */
    public Map<TopicPartition, Long> positions() {
        Map<TopicPartition, Long> positions = new HashMap<>();
        consumer.assignment().forEach(partition -> positions.put(partition, consumer.position(partition)));
        return positions;
    }

    /** Number of records by stage, of those at or beyond the given offsets. */
    public Map<String, Long> countsBeyond(Map<TopicPartition, Long> offsets) {
        Map<String, Long> counts = new TreeMap<>();
        beyond(offsets).forEach(record -> counts.merge(record.stage(), 1L, Long::sum));
        return counts;
    }

    /** Number of records by topic, of those at or beyond the given offsets. */
    public Map<String, Long> topicsBeyond(Map<TopicPartition, Long> offsets) {
        Map<String, Long> counts = new TreeMap<>();
        beyond(offsets).forEach(record -> counts.merge(record.partition().topic(), 1L, Long::sum));
        return counts;
    }

    /** Those at or beyond the given offsets. */
    public List<Waiting> beyond(Map<TopicPartition, Long> offsets) {
        return waiting.stream()
                .filter(record -> record.offset() >= offsets.getOrDefault(record.partition(), 0L))
                .toList();
    }

    @Override
    public void close() {
        if (consumer != null) {
            consumer.close();
            consumer = null;
        }
    }
}
