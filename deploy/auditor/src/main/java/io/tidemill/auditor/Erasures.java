package io.tidemill.auditor;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.SliceRange;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Who asked to be forgotten, and which versions had been told when they began. */
final class Erasures {
    private final String topic;
    private final Map<String, Long> offsetBySubject = new HashMap<>();

    Erasures(String topic) {
        this.topic = topic;
    }

    void take(ConsumerRecord<byte[], byte[]> record) {
        Wire.read(Erasure.getDefaultInstance(), record.value(), record.headers())
                .filter(erasure -> !erasure.getSubject().isEmpty())
                .ifPresent(erasure -> offsetBySubject.merge(erasure.getSubject(), record.offset(), Math::min));
    }

    /** The subject of an example that the slice of this version names as erased. */
    Optional<String> before(CheckpointEvent version, Example example) {
        long told = version.getLineage().getSlicesList().stream()
                .filter(range -> range.getTopic().equals(topic))
                .mapToLong(SliceRange::getToOffset)
                .max()
                .orElse(0);
        return example.provenance().getSubjectsList().stream()
                .filter(subject -> offsetBySubject.getOrDefault(subject, Long.MAX_VALUE) < told)
                .findFirst();
    }
}
