package io.tidemill.trainer.slice;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Reads exactly the committed records of a slice.
 *
 * <p>The consumer must be {@code read_committed} with {@code auto.offset.reset=none}; it is assigned, never subscribed.
 * A partition is done when its <em>position</em> has reached the end, because the last offsets may be transaction
 * markers, which no record carries. Records are counted, offsets never subtracted.
 */
public final class SliceReader {
    private static final Duration POLL = Duration.ofMillis(200);

    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final LongSupplier nanoClock;
    private final Duration patience;
    private final KeptSlices kept;

    /** Reads from the log alone. */
    public SliceReader(Supplier<Consumer<byte[], byte[]>> consumers, LongSupplier nanoClock, Duration patience) {
        this(consumers, nanoClock, patience, KeptSlices.NONE);
    }

    /**
     * @param consumers opens a consumer as described above
     * @param patience  how long nothing may arrive before the reading is given up
     * @param kept      asked where the log no longer holds all of a slice
     */
    public SliceReader(
            Supplier<Consumer<byte[], byte[]>> consumers, LongSupplier nanoClock, Duration patience, KeptSlices kept) {
        this.consumers = consumers;
        this.nanoClock = nanoClock;
        this.patience = patience;
        this.kept = kept;
    }

    /**
     * Hands each record of the slice to the sink, in order within a partition. Of a slice that the log no longer holds as a
     * whole, that is what was kept of it: neither what is erased nor what cannot be read.
     *
     * @return records read, by partition
     * @throws SliceGoneException if the log no longer holds the slice's beginning, and nobody kept it
     * @throws TimeoutException   if the broker gives nothing for longer than the patience
     */
    public Map<TopicPartition, Long> read(
            Slice slice, java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> sink) {
        Map<TopicPartition, Long> counts = new HashMap<>();
        Set<TopicPartition> unfinished = new HashSet<>();
        Map<TopicPartition, Long> ends = slice.ends();
        try (Consumer<byte[], byte[]> consumer = consumers.get()) {
            for (OffsetRange range : slice.ranges()) {
                counts.put(range.topicPartition(), 0L);
                if (range.to() > range.from()) {
                    unfinished.add(range.topicPartition());
                }
            }
            Optional<KeptSlices.Kept> copy = held(consumer, slice).equals(slice) ? Optional.empty() : kept.of(slice);
            if (copy.isPresent()) {
                copy.get().read(slice, record -> {
                    sink.accept(record);
                    counts.merge(new TopicPartition(record.topic(), record.partition()), 1L, Long::sum);
                });
                return counts;
            }
            consumer.assign(unfinished);
            slice.ranges().stream()
                    .filter(range -> unfinished.contains(range.topicPartition()))
                    .forEach(range -> consumer.seek(range.topicPartition(), range.from()));

            long lastProgress = nanoClock.getAsLong();
            while (!unfinished.isEmpty()) {
                for (ConsumerRecord<byte[], byte[]> record : poll(consumer, slice)) {
                    TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                    if (record.offset() < ends.get(partition)) {
                        sink.accept(record);
                        counts.merge(partition, 1L, Long::sum);
                        lastProgress = nanoClock.getAsLong();
                    }
                }
                if (finish(consumer, ends, unfinished)) {
                    lastProgress = nanoClock.getAsLong();
                } else if (nanoClock.getAsLong() - lastProgress > patience.toNanos()) {
                    throw new TimeoutException("Nothing read for " + patience.toSeconds()
                            + " s; still missing of slice " + slice + ": " + positions(consumer, unfinished));
                }
            }
        }
        return counts;
    }

    /** The part of a slice that can still be read: what the log holds of it, or all if somebody kept it. */
    public Slice available(Slice slice) {
        try (Consumer<byte[], byte[]> consumer = consumers.get()) {
            Slice held = held(consumer, slice);
            return held.equals(slice) || kept.of(slice).isPresent() ? slice : held;
        }
    }

    private static Slice held(Consumer<byte[], byte[]> consumer, Slice slice) {
        Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(
                slice.ranges().stream().map(OffsetRange::topicPartition).toList());
        return new Slice(slice.ranges().stream()
                .map(range -> new OffsetRange(
                        range.topicPartition(),
                        Math.min(range.to(), Math.max(range.from(), beginnings.get(range.topicPartition()))),
                        range.to()))
                .toList());
    }

    private static Iterable<ConsumerRecord<byte[], byte[]>> poll(Consumer<byte[], byte[]> consumer, Slice slice) {
        try {
            return consumer.poll(POLL);
        } catch (OffsetOutOfRangeException e) {
            throw new SliceGoneException(slice, e.offsetOutOfRangePartitions(), e);
        }
    }

    /** Pauses what has reached its end; true if something did. */
    private static boolean finish(
            Consumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends, Set<TopicPartition> unfinished) {
        List<TopicPartition> done = unfinished.stream()
                .filter(partition -> consumer.position(partition) >= ends.get(partition))
                .toList();
        consumer.pause(done);
        done.forEach(unfinished::remove);
        return !done.isEmpty();
    }

    private static Map<TopicPartition, Long> positions(
            Consumer<byte[], byte[]> consumer, Collection<TopicPartition> partitions) {
        Map<TopicPartition, Long> positions = new HashMap<>();
        partitions.forEach(partition -> positions.put(partition, consumer.position(partition)));
        return positions;
    }
}
