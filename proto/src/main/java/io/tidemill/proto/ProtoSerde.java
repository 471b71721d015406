package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Protobuf for topics that only we write. What anybody may write is read with {@link RecordReader} instead.
 *
 * <p>The serializer says what it wrote: it replaces the header {@code content-type}, because a JSON header that was
 * forwarded with a record would make its next reader fail.
 */
public final class ProtoSerde<M extends Message> implements Serde<M> {
    private static final byte[] PROTOBUF = RecordReader.PROTOBUF.getBytes(UTF_8);

    private final M prototype;

    private ProtoSerde(M prototype) {
        this.prototype = prototype;
    }

    public static <M extends Message> ProtoSerde<M> of(M prototype) {
        return new ProtoSerde<>(prototype);
    }

    @Override
    public Serializer<M> serializer() {
        return new Serializer<>() {
            @Override
            public byte[] serialize(String topic, M message) {
                return message == null ? null : message.toByteArray();
            }

            @Override
            public byte[] serialize(String topic, Headers headers, M message) {
                headers.remove(RecordReader.CONTENT_TYPE).add(RecordReader.CONTENT_TYPE, PROTOBUF);
                return serialize(topic, message);
            }
        };
    }

    @Override
    @SuppressWarnings("unchecked") // the prototype's parser parses the prototype's type
    public Deserializer<M> deserializer() {
        return (topic, bytes) -> {
            try {
                return bytes == null ? null : (M) prototype.getParserForType().parseFrom(bytes);
            } catch (InvalidProtocolBufferException e) {
                throw new SerializationException(
                        "A record of " + topic + " with " + bytes.length + " bytes is not a "
                                + prototype.getDescriptorForType().getName() + ": " + e.getMessage(),
                        e);
            }
        };
    }
}
