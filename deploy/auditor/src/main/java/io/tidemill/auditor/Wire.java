package io.tidemill.auditor;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.util.Optional;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * A message out of a record's bytes: protobuf, protobuf under Confluent's frame, or JSON where the header says so. More
 * lenient than the services are: what they refuse has a record in {@code rejected}, which counts first.
 */
final class Wire {
    private static final int FRAME_BYTES = 5; // a zero byte and the schema's id
    private static final int MOST_INDEXES = 100;

    private Wire() {}

    /** Empty where the bytes are none. */
    @SuppressWarnings("unchecked") // a builder made by the prototype builds the prototype's type
    static <M extends Message> Optional<M> read(M prototype, byte[] value, Headers headers) {
        if (value == null || value.length == 0) {
            return Optional.empty();
        }
        try {
            Message.Builder builder = prototype.newBuilderForType();
            if (isJson(headers)) {
                int start = value[0] == 0 && value.length >= FRAME_BYTES ? FRAME_BYTES : 0;
                String json = new String(value, start, value.length - start, UTF_8);
                JsonFormat.parser().ignoringUnknownFields().merge(json, builder);
            } else {
                CodedInputStream input = CodedInputStream.newInstance(value);
                if (value[0] == 0) {
                    skipFrame(input);
                }
                builder.mergeFrom(input);
            }
            return Optional.of((M) builder.build());
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    private static void skipFrame(CodedInputStream input) throws IOException {
        input.skipRawBytes(FRAME_BYTES);
        int indexes = input.readSInt32();
        if (indexes < 0 || indexes > MOST_INDEXES) {
            throw new InvalidProtocolBufferException("no frame");
        }
        for (int i = 0; i < indexes; i++) {
            input.readSInt32();
        }
    }

    private static boolean isJson(Headers headers) {
        String type = "";
        for (Header header : headers) {
            if (header.key().equalsIgnoreCase("content-type") && header.value() != null) {
                type = new String(header.value(), UTF_8);
            }
        }
        return type.strip().startsWith("application/json");
    }
}
