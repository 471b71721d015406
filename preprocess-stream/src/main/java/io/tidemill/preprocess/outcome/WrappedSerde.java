package io.tidemill.preprocess.outcome;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Several kinds of message in one of our own repartition topics: a byte that names the kind, then protobuf.
 *
 * <p>The numbers of the kinds are a promise to the records in flight: they are never given to another kind.
 */
public final class WrappedSerde<V extends Wrapped> implements Serde<V> {
    private final Map<Byte, Function<ByteBuffer, V>> readers = new LinkedHashMap<>();
    private final Map<Class<?>, Byte> tags = new LinkedHashMap<>();

    /** Adds a kind. */
    public <M extends Message> WrappedSerde<V> kind(
            int tag, Class<? extends V> type, Parser<M> parser, Function<M, ? extends V> wrap) {
        tags.put(type, (byte) tag);
        readers.put((byte) tag, bytes -> {
            try {
                return wrap.apply(parser.parseFrom(bytes));
            } catch (InvalidProtocolBufferException e) {
                throw new SerializationException(
                        type.getSimpleName() + " cannot be read back from an internal topic: " + e.getMessage(), e);
            }
        });
        return this;
    }

    @Override
    public Serializer<V> serializer() {
        return (topic, value) -> {
            byte[] message = value.message().toByteArray();
            return ByteBuffer.allocate(1 + message.length)
                    .put(tags.get(value.getClass()))
                    .put(message)
                    .array();
        };
    }

    @Override
    public Deserializer<V> deserializer() {
        return (topic, bytes) -> {
            Function<ByteBuffer, V> reader = readers.get(bytes[0]);
            if (reader == null) {
                throw new SerializationException("An internal record of " + topic + " is of unknown kind " + bytes[0]);
            }
            return reader.apply(ByteBuffer.wrap(bytes, 1, bytes.length - 1));
        };
    }
}
