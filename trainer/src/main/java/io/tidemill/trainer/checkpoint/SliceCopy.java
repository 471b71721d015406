package io.tidemill.trainer.checkpoint;

import com.google.protobuf.ByteString;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.v1.KeptRecord;
import io.tidemill.proto.v1.RecordHeader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/**
 * {@code state/slice.binpb}: the records of a version's slice, so that the version can be trained again, and its examples be
 * learned once more, when the log no longer has them. What cannot be read is left out, and what is erased is taken out.
 */
public final class SliceCopy {
    public static final String FILE = "slice.binpb";

    private final List<KeptRecord> records = new ArrayList<>();

    /** @param erasureKeys what the record goes by where something is to be forgotten */
    public void add(ConsumerRecord<byte[], byte[]> record, Collection<String> erasureKeys) {
        KeptRecord.Builder kept = KeptRecord.newBuilder()
                .setTopic(record.topic())
                .setPartition(record.partition())
                .setOffset(record.offset())
                .setTimestamp(record.timestamp())
                .setValue(ByteString.copyFrom(record.value()))
                .addAllErasureKeys(erasureKeys);
        for (Header header : record.headers()) {
            RecordHeader.Builder copy = RecordHeader.newBuilder().setName(header.key());
            Optional.ofNullable(header.value()).map(ByteString::copyFrom).ifPresent(copy::setValue);
            kept.addHeaders(copy);
        }
        Optional.ofNullable(record.key()).map(ByteString::copyFrom).ifPresent(kept::setKey);
        records.add(kept.build());
    }

    /** Writes it into a version's private directory, flushed. */
    public void write(Path state) throws IOException {
        MessageFile.write(state.resolve(FILE), records);
    }

    public static boolean exists(Path state) {
        return Files.isRegularFile(state.resolve(FILE));
    }

    /** All that a version keeps, as it was read from the log. */
    public static List<ConsumerRecord<byte[], byte[]>> read(Path state) throws IOException {
        return messages(state).stream().map(SliceCopy::record).toList();
    }

    /**
     * Takes out what is erased; what was written is flushed.
     *
     * @return records taken out
     */
    public static int purge(Path state, ErasureSet erased) throws IOException {
        List<KeptRecord> all = messages(state);
        List<KeptRecord> left = all.stream()
                .filter(record -> !erased.concerns(record.getErasureKeysList()))
                .toList();
        if (left.size() < all.size()) {
            MessageFile.write(state.resolve(FILE), left);
        }
        return all.size() - left.size();
    }

    private static List<KeptRecord> messages(Path state) throws IOException {
        return MessageFile.read(state.resolve(FILE), KeptRecord.parser());
    }

    private static ConsumerRecord<byte[], byte[]> record(KeptRecord kept) {
        RecordHeaders headers = new RecordHeaders();
        kept.getHeadersList()
                .forEach(header ->
                        headers.add(header.getName(), header.getValue().toByteArray()));
        byte[] key = kept.hasKey() ? kept.getKey().toByteArray() : null;
        byte[] value = kept.getValue().toByteArray();
        return new ConsumerRecord<>(
                kept.getTopic(),
                kept.getPartition(),
                kept.getOffset(),
                kept.getTimestamp(),
                TimestampType.CREATE_TIME,
                key == null ? ConsumerRecord.NULL_SIZE : key.length,
                value.length,
                key,
                value,
                headers,
                Optional.empty());
    }
}
