package io.tidemill.preprocess.outcome;

import com.google.protobuf.Message;
import io.tidemill.proto.Rejections;
import io.tidemill.proto.v1.Rejected;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ProcessorContext;

/**
 * Where a record was read, carried in our own headers from the first operator on, because a repartition topic has
 * positions of its own. Incoming headers end at the first operator.
 *
 * @param key as it came, or null
 */
@SuppressWarnings("ArrayRecordComponent") // carried, never compared
public record Origin(String topic, int partition, long offset, byte[] key) {
    private static final String POSITION = "tidemill-origin";
    private static final String KEY = "tidemill-origin-key";
    private static final int MAX_KEY_BYTES = 64 * 1024; // as much as a rejected record shows of it
    private static final Origin UNKNOWN = new Origin("", -1, -1, null);

    /** The position of the record that is being processed. */
    public static Origin of(ProcessorContext<?, ?> context, byte[] key) {
        return context.recordMetadata()
                .map(at -> new Origin(at.topic(), at.partition(), at.offset(), clipped(key)))
                .orElse(UNKNOWN);
    }

    /** Reads what {@link #headers} wrote; unknown where a record carries none. */
    public static Origin read(Headers headers) {
        Header position = headers.lastHeader(POSITION);
        if (position == null) {
            return UNKNOWN;
        }
        String[] parts = new String(position.value(), StandardCharsets.UTF_8).split("/", 3);
        Header key = headers.lastHeader(KEY);
        return new Origin(
                parts[2], Integer.parseInt(parts[0]), Long.parseLong(parts[1]), key == null ? null : key.value());
    }

    private static byte[] clipped(byte[] key) {
        return key == null || key.length <= MAX_KEY_BYTES ? key : Arrays.copyOf(key, MAX_KEY_BYTES);
    }

    /** New headers with nothing but this. */
    public Headers headers() {
        Headers headers = new RecordHeaders();
        headers.add(POSITION, (partition + "/" + offset + "/" + topic).getBytes(StandardCharsets.UTF_8));
        if (key != null) {
            headers.add(KEY, key);
        }
        return headers;
    }

    /** The record as it came, refused. */
    public Rejected refuse(Refusal refusal, byte[] value, Headers headers, Instant at, String sourceId) {
        return Rejections.of(
                refusal.stage(),
                refusal.code(),
                refusal.reason(),
                topic,
                partition,
                offset,
                key,
                value,
                headers,
                at,
                sourceId);
    }

    /** The record as it was parsed, refused: its value is protobuf, whatever it came as. */
    public Rejected refuse(Refusal refusal, Message message, Instant at, String sourceId) {
        Headers headers = new RecordHeaders();
        headers.add("content-type", "application/x-protobuf".getBytes(StandardCharsets.UTF_8));
        return refuse(refusal, message.toByteArray(), headers, at, sourceId);
    }
}
