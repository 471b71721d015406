package io.tidemill.auditor;

import io.tidemill.proto.v1.Rejected;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What {@code quarantine} has copies of, by the place that each was read from. */
final class Quarantine {
    private static final int PRESENT = 1;

    private final Topics topics;
    private final boolean complete;
    private final IdTable table = new IdTable();

    /** @param frozen where the topic begins: what retention has taken may have been there */
    Quarantine(Topics topics, Frozen frozen) {
        this.topics = topics;
        this.complete = !frozen.hasLost();
    }

    void take(ConsumerRecord<byte[], byte[]> record) {
        Wire.read(Rejected.getDefaultInstance(), record.value(), record.headers())
                .ifPresent(
                        copy -> table.put(topics.key(copy.getTopic(), copy.getPartition(), copy.getOffset()), PRESENT));
    }

    /** Is there a copy, or may there have been one? */
    boolean has(ConsumerRecord<byte[], byte[]> record) {
        return !complete || table.get(topics.key(record.topic(), record.partition(), record.offset())) != 0;
    }
}
