package io.tidemill.proto;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A consumer that is assigned its partitions and belongs to no group, so that nobody waits for its farewell: it closes at once. Kafka's own
 * waits for the answer to the fetch under way, half a second ({@code fetch.max.wait.ms}) where nothing more comes.
 */
public final class AssignedConsumer extends KafkaConsumer<byte[], byte[]> {
    /** @param settings at least {@code bootstrap.servers}; not {@code group.id} */
    public AssignedConsumer(Map<String, Object> settings) {
        super(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @Override
    public void close() {
        close(CloseOptions.timeout(Duration.ZERO));
    }
}
