package io.tidemill.trainer.round;

import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.Rejections;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.trainer.checkpoint.QuarantinedRecords;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceGoneException;
import io.tidemill.trainer.slice.SliceReader;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What rounds put aside with its evidence, and how it comes back. */
final class Quarantine {
    private static final Logger LOG = LoggerFactory.getLogger(Quarantine.class);

    /** Stage of the records here: other services write to the topic too. */
    private static final String STAGE = "gate";

    /** On a record that was released: the offset of its copy in the quarantine. */
    static final String RELEASED = "tidemill-released-from";

    private final SliceReader slices;
    private final Clock clock;

    Quarantine(SliceReader slices, Clock clock) {
        this.slices = slices;
        this.clock = clock;
    }

    /** The records of ranges that were refused twice; none of a range that the log no longer holds. */
    List<Rejected> ofRanges(List<Slice> ranges, CheckpointEvent because) {
        List<Rejected> records = new ArrayList<>();
        String reason = "Part of two slices whose candidates did not stay, last " + because.getVersion() + ": "
                + because.getReason();
        for (Slice range : ranges) {
            read(range, record -> records.add(rejected(record, "refused-twice", reason, because)));
        }
        return records;
    }

    /** The records that a step diverged by. */
    List<Rejected> ofRecords(List<QuarantinedRecords.Entry> entries, CheckpointEvent because) {
        Set<QuarantinedRecords.Entry> wanted =
                entries.stream().map(Quarantine::place).collect(Collectors.toSet());
        List<Rejected> records = new ArrayList<>();
        read(QuarantinedRecords.around(entries), record -> {
            if (wanted.contains(
                    new QuarantinedRecords.Entry(record.topic(), record.partition(), record.offset(), ""))) {
                records.add(rejected(record, "diverged", because.getReason(), because));
            }
        });
        return records;
    }

    private static QuarantinedRecords.Entry place(QuarantinedRecords.Entry entry) {
        return new QuarantinedRecords.Entry(entry.topic(), entry.partition(), entry.offset(), "");
    }

    private void read(Slice slice, java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> sink) {
        try {
            if (!slice.empty()) {
                slices.read(slice, sink);
            }
        } catch (SliceGoneException e) {
            LOG.warn("Nothing is written to quarantine: {}", e.getMessage());
        }
    }

    private Rejected rejected(
            ConsumerRecord<byte[], byte[]> record, String code, String reason, CheckpointEvent because) {
        return Rejections.of(
                        STAGE,
                        code,
                        reason,
                        record.topic(),
                        record.partition(),
                        record.offset(),
                        record.key(),
                        record.value(),
                        record.headers(),
                        clock.instant(),
                        null)
                .toBuilder()
                .setVersion(because.getVersion())
                .build();
    }

    /**
     * The records that a version sent here, as they came, for the topics they came from.
     *
     * @param whole all of the quarantine
     */
    List<ProducerRecord<byte[], byte[]>> release(Slice whole, String version) {
        List<ProducerRecord<byte[], byte[]>> released = new ArrayList<>();
        slices.read(whole, record -> {
            Reading<Rejected> reading = Readers.rejected().read(record.value(), record.headers());
            if (reading instanceof Reading.Accepted<Rejected> accepted
                    && accepted.message().getStage().equals(STAGE)
                    && accepted.message().getVersion().equals(version)) {
                released.add(again(accepted.message(), record.partition() + ":" + record.offset()));
            }
        });
        return released;
    }

    private static ProducerRecord<byte[], byte[]> again(Rejected rejected, String from) {
        byte[] key = rejected.getKey().isEmpty() ? null : rejected.getKey().toByteArray();
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                rejected.getTopic(), key, rejected.getValue().toByteArray());
        for (Map.Entry<String, String> header : rejected.getHeadersMap().entrySet()) {
            record.headers().add(header.getKey(), header.getValue().getBytes(StandardCharsets.UTF_8));
        }
        record.headers().add(RELEASED, from.getBytes(StandardCharsets.UTF_8));
        return record;
    }
}
