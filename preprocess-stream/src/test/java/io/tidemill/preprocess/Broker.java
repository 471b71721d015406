package io.tidemill.preprocess;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Message;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A real broker as a plain client sees it. */
public final class Broker implements AutoCloseable {
    private final String bootstrapServers;
    private final KafkaProducer<byte[], byte[]> producer;

    public Broker(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
        this.producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers, "acks", "all", "enable.idempotence", true),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    public void ensure(TopicCatalogue catalogue, Collection<Topic> topics) {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
            catalogue.ensure(admin, topics, (short) 1);
        }
    }

    /** Writes JSON with the header that says so, no key, and waits for the acknowledgement. */
    public void json(Topic topic, String json) {
        send(topic, json.getBytes(UTF_8), "application/json");
    }

    public void protobuf(Topic topic, Message message) {
        send(topic, message.toByteArray(), "application/x-protobuf");
    }

    public void send(Topic topic, byte[] value, String contentType) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("content-type", contentType.getBytes(UTF_8));
        try {
            producer.send(new ProducerRecord<>(topic.name(), null, null, null, value, headers))
                    .get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All committed messages of a topic, up to its end as it is now. */
    public <M extends Message> List<M> committed(Topic topic, RecordReader<M> reader) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                bootstrapServers,
                "isolation.level",
                "read_committed",
                "auto.offset.reset",
                "earliest",
                "enable.auto.commit",
                false);
        List<M> messages = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = IntStream.range(0, topic.partitions())
                    .mapToObj(partition -> new TopicPartition(topic.name(), partition))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            // Transaction markers take offsets too: the position reaches the end, the last record may not.
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> messages.add(read(record, reader)));
            }
        }
        return messages;
    }

    private static <M extends Message> M read(ConsumerRecord<byte[], byte[]> record, RecordReader<M> reader) {
        if (reader.read(record.value(), record.headers()) instanceof Reading.Accepted<M> accepted) {
            return accepted.message();
        }
        throw new AssertionError(record.topic() + " holds what its reader refuses at offset " + record.offset());
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
