package io.tidemill.trainer.round;

import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.v1.Erasure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is to be forgotten, read from its topic's beginning at every start. The topic is compacted, so that an erasure that was
 * asked for again stands at its newest offset alone.
 *
 * <p>For one thread.
 */
final class Erasures implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Erasures.class);

    private final TopicPartition partition;
    private final Consumer<byte[], byte[]> consumer;
    private final RecordReader<Erasure> reader = Readers.erasures();
    private final List<Numbered> entries = new ArrayList<>();

    /** An erasure, or what lifts one, and where it stands. */
    record Numbered(long offset, Erasure erasure) {
        String key() {
            return ErasureKeys.of(erasure);
        }
    }

    /** @param consumers opens a read_committed consumer */
    Erasures(String topic, Supplier<Consumer<byte[], byte[]>> consumers) {
        this.partition = new TopicPartition(topic, 0); // the catalogue gives it one
        this.consumer = consumers.get();
        consumer.assign(List.of(partition));
        consumer.seek(partition, consumer.beginningOffsets(List.of(partition)).get(partition));
        catchUp();
    }

    /** Takes in all that was committed when asked. */
    void catchUp() {
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        while (consumer.position(partition) < end) {
            poll(Duration.ofMillis(100));
        }
    }

    /** Takes in what has come; true if something did. */
    boolean poll(Duration atMost) {
        boolean some = false;
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(atMost)) {
            Reading<Erasure> reading = reader.read(record.value(), record.headers());
            if (reading instanceof Reading.Accepted<Erasure> accepted) {
                entries.add(new Numbered(record.offset(), ErasureSet.named(accepted.message())));
                some = true;
            } else if (reading instanceof Reading.Refused<Erasure> refused) {
                LOG.warn("Erasure at offset {} is ignored: {}", record.offset(), refused.reason());
            }
        }
        return some;
    }

    /** Up to where the topic was read. */
    long offset() {
        return consumer.position(partition);
    }

    /** Those in force. */
    ErasureSet all() {
        return before(Long.MAX_VALUE);
    }

    /** Those in force at an offset. */
    ErasureSet before(long offset) {
        return ErasureSet.of(entries.stream()
                .filter(entry -> entry.offset < offset)
                .map(Numbered::erasure)
                .toList());
    }

    /** Those in force that were asked for at that offset or later. */
    List<Numbered> from(long offset) {
        Map<String, Numbered> newest = new LinkedHashMap<>();
        entries.stream().filter(entry -> entry.offset >= offset).forEach(entry -> newest.put(entry.key(), entry));
        return newest.values().stream()
                .filter(entry -> !entry.erasure.getLifted())
                .toList();
    }

    @Override
    public void close() {
        consumer.close();
    }
}
