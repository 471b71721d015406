package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.Rejected;
import java.time.Instant;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** Makes the record for {@code rejected}: the record as it came, with where it came from and why it is of no use. */
public final class Rejections {
    /** Header that tells the length of a value that was cut to fit. Unit: bytes. */
    public static final String CLIPPED_FROM = "tidemill-clipped-from-bytes";

    private static final int MAX_KEY_BYTES = 64 * 1024;
    private static final int MAX_HEADERS_BYTES = 96 * 1024;
    private static final int MAX_TEXT_CHARACTERS = 4 * 1024;

    private Rejections() {}

    /**
     * The record for {@code rejected}; it always fits that topic, because value, key and headers are cut where they are
     * longer than any source topic takes.
     *
     * @param stage    operator that refused it, for instance {@code parse}
     * @param code     short and stable, for counting
     * @param reason   one sentence with the value and what is expected
     * @param value    the record's value; may be null
     * @param sourceId id of the record; null or empty where it could not be read, then a hash of the value
     */
    public static Rejected of(
            String stage,
            String code,
            String reason,
            String topic,
            int partition,
            long offset,
            byte[] key,
            byte[] value,
            Headers headers,
            Instant at,
            String sourceId) {
        byte[] bytes = value == null ? new byte[0] : value;
        boolean known = sourceId != null && !sourceId.isEmpty();
        Rejected.Builder rejected = Rejected.newBuilder()
                .setSourceId(known ? clipped(sourceId) : Ids.contentHash(bytes))
                .setStage(stage)
                .setCode(code)
                .setReason(clipped(reason))
                .setTopic(topic)
                .setPartition(partition)
                .setOffset(offset)
                .setKey(clipped(key == null ? new byte[0] : key, MAX_KEY_BYTES))
                .setValue(clipped(bytes, TopicCatalogue.MAX_SOURCE_RECORD_BYTES))
                .setRejectedAt(Timestamps.fromMillis(at.toEpochMilli()));
        int room = MAX_HEADERS_BYTES;
        for (Header header : headers) {
            String text = header.value() == null ? "" : new String(header.value(), UTF_8);
            room -= 3 * (header.key().length() + text.length()); // at most 3 bytes of UTF-8 for a char
            if (room < 0) {
                break;
            }
            rejected.putHeaders(header.key(), text);
        }
        if (bytes.length > TopicCatalogue.MAX_SOURCE_RECORD_BYTES) {
            rejected.putHeaders(CLIPPED_FROM, Integer.toString(bytes.length));
        }
        return rejected.build();
    }

    private static ByteString clipped(byte[] bytes, int most) {
        return ByteString.copyFrom(bytes, 0, Math.min(bytes.length, most));
    }

    private static String clipped(String text) {
        return text.length() <= MAX_TEXT_CHARACTERS ? text : text.substring(0, MAX_TEXT_CHARACTERS) + "…";
    }
}
