package io.tidemill.feedback.testing;

import com.google.protobuf.Message;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.ConfigProvider;

/** Reads and writes the topics of the service under test. */
public final class Kafka {
    private Kafka() {}

    public static TopicCatalogue topics() {
        return new TopicCatalogue(ConfigProvider.getConfig().getValue("tidemill.topic-prefix", String.class));
    }

    /** Appends one event and waits for its acknowledgement. */
    public static void append(Topic topic, String key, Message event) {
        Map<String, Object> settings = Map.of("bootstrap.servers", SharedKafka.bootstrapServers(), "acks", "all");
        try (KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic.name(), key, event.toByteArray()))
                    .get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All events of a topic that the predicate takes, in order of their partitions and offsets. */
    public static <M extends Message> List<M> all(Topic topic, RecordReader<M> reader, Predicate<M> wanted) {
        Map<String, Object> settings = Map.of("bootstrap.servers", SharedKafka.bootstrapServers());
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            Set<TopicPartition> partitions = new java.util.LinkedHashSet<>();
            consumer.partitionsFor(topic.name())
                    .forEach(p -> partitions.add(new TopicPartition(p.topic(), p.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<M> found = new ArrayList<>();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    M message = read(reader, record);
                    if (wanted.test(message)) {
                        found.add(message);
                    }
                }
            }
            return found;
        }
    }

    private static <M extends Message> M read(RecordReader<M> reader, ConsumerRecord<String, byte[]> record) {
        Reading<M> reading = reader.read(record.value(), record.headers());
        if (reading instanceof Reading.Accepted<M> accepted) {
            return accepted.message();
        }
        throw new AssertionError("The service wrote a record that a reader refuses: " + reading);
    }
}
