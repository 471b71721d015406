package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Locale;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * Reads one record's bytes defensively: whatever they are, the answer is a {@link Reading} and never an exception.
 *
 * <p>Three forms are understood:
 * <ol>
 *   <li>protobuf, without a header or with {@code content-type: application/x-protobuf};
 *   <li>protobuf's JSON mapping with the header {@code content-type: application/json}, see {@link StrictJson};
 *   <li>either behind Confluent's frame: a zero byte, the schema's id in 4 bytes and, for protobuf, the message's
 *       indexes as zigzag varints. No protobuf message and no JSON text starts with a zero byte, so the two cannot be
 *       mistaken. The id is skipped: which message a topic holds is decided by the catalogue.
 * </ol>
 *
 * <p>Accepted means that the required fields are set: no bytes at all are a valid protobuf message of any type, and so
 * are some random ones.
 */
public final class RecordReader<M extends Message> {
    /** Header that names the form of the value. */
    public static final String CONTENT_TYPE = "content-type";

    public static final String PROTOBUF = "application/x-protobuf";
    public static final String JSON = "application/json";

    private static final int FRAME_BYTES = 5;
    private static final int MAX_MESSAGE_INDEXES = 16;

    /** Looks at a message's fields. */
    @FunctionalInterface
    interface Requirements<M> {
        void check(M message) throws Refusal;
    }

    private final M prototype;
    private final Requirements<M> requirements;

    RecordReader(M prototype, Requirements<M> requirements) {
        this.prototype = prototype;
        this.requirements = requirements;
    }

    /**
     * Reads a record of a topic.
     *
     * @param value   the record's value; may be null
     * @param headers the record's headers
     */
    public Reading<M> read(byte[] value, Headers headers) {
        try {
            if (value == null || value.length == 0) {
                throw Refusal.empty("a " + name());
            }
            Message.Builder builder = prototype.newBuilderForType();
            if (isJson(headers)) {
                StrictJson.merge(
                        utf8(ByteBuffer.wrap(value, jsonStart(value), value.length - jsonStart(value))), builder);
            } else {
                mergeProtobuf(value, builder);
            }
            return accepted(builder);
        } catch (Refusal refusal) {
            return refusal.reading();
        }
    }

    /** Reads the JSON mapping of one message in UTF-8, as {@link #read} does with a JSON header. */
    public Reading<M> readJson(byte[] utf8) {
        try {
            Message.Builder builder = prototype.newBuilderForType();
            StrictJson.merge(utf8(ByteBuffer.wrap(utf8)), builder);
            return accepted(builder);
        } catch (Refusal refusal) {
            return refusal.reading();
        }
    }

    /** Reads protobuf's JSON mapping of one message, as {@link #read} does with a JSON header. */
    public Reading<M> readJson(String json) {
        try {
            Message.Builder builder = prototype.newBuilderForType();
            StrictJson.merge(json, builder);
            return accepted(builder);
        } catch (Refusal refusal) {
            return refusal.reading();
        }
    }

    /** Whether a message that came by another way has its required fields. */
    public Reading<M> check(M message) {
        try {
            requirements.check(message);
            return new Reading.Accepted<>(message);
        } catch (Refusal refusal) {
            return refusal.reading();
        }
    }

    @SuppressWarnings("unchecked") // a builder made by the prototype builds the prototype's type
    private Reading<M> accepted(Message.Builder builder) throws Refusal {
        M message = (M) builder.build();
        requirements.check(message);
        return new Reading.Accepted<>(message);
    }

    private boolean isJson(Headers headers) throws Refusal {
        String type = null;
        for (Header header : headers) {
            if (header.key().equalsIgnoreCase(CONTENT_TYPE) && header.value() != null) {
                type = new String(header.value(), UTF_8); // the last one counts
            }
        }
        if (type == null) {
            return false;
        }
        int parameters = type.indexOf(';');
        String media =
                (parameters < 0 ? type : type.substring(0, parameters)).strip().toLowerCase(Locale.ROOT);
        return switch (media) {
            case JSON -> true;
            case PROTOBUF, "application/protobuf", "application/octet-stream" -> false;
            default ->
                throw Refusal.unreadable(
                        "The header content-type is " + Refusal.shown(type) + ".", JSON + ", " + PROTOBUF + " or none");
        };
    }

    private static int jsonStart(byte[] value) {
        return value[0] == 0 && value.length >= FRAME_BYTES ? FRAME_BYTES : 0;
    }

    private static String utf8(ByteBuffer bytes) throws Refusal {
        int length = bytes.remaining();
        try {
            return UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw Refusal.unreadable(
                    "The text is not UTF-8 at byte " + (length - bytes.remaining()) + " of " + length + ".", "UTF-8");
        }
    }

    private void mergeProtobuf(byte[] value, Message.Builder into) throws Refusal {
        try {
            CodedInputStream input = CodedInputStream.newInstance(value);
            input.setRecursionLimit(StrictJson.MAX_DEPTH);
            if (value[0] == 0) {
                skipFrame(input);
            }
            into.mergeFrom(input);
            input.checkLastTagWas(0);
        } catch (InvalidProtocolBufferException e) {
            throw Refusal.unreadable(
                    "The " + value.length + " bytes are not protobuf: " + e.getMessage(),
                    "a " + name() + " in protobuf"
                            + (value[0] == '{' ? "; JSON needs the header content-type=application/json" : ""));
        } catch (IOException impossible) {
            throw Refusal.unreadable("The bytes could not be read: " + impossible.getMessage() + ".", "a " + name());
        }
    }

    private static void skipFrame(CodedInputStream input) throws IOException, Refusal {
        input.skipRawBytes(FRAME_BYTES);
        int indexes = input.readSInt32();
        if (indexes < 0 || indexes > MAX_MESSAGE_INDEXES) {
            throw Refusal.unreadable(
                    "The frame has " + indexes + " message indexes.",
                    "0 to " + MAX_MESSAGE_INDEXES + " after the zero byte and the schema's id");
        }
        for (int i = 0; i < indexes; i++) {
            input.readSInt32();
        }
    }

    private String name() {
        return prototype.getDescriptorForType().getName();
    }
}
