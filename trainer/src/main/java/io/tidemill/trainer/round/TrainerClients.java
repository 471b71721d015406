package io.tidemill.trainer.round;

import io.tidemill.proto.AssignedConsumer;
import io.tidemill.proto.Topic;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The trainer's Kafka clients. Consumers belong to no group: positions are the lineage's, not the group coordinator's.
 *
 * @param settings common to all: at least {@code bootstrap.servers}
 */
public record TrainerClients(Map<String, Object> settings) {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    public TrainerClients {
        settings = Map.copyOf(settings);
    }

    Admin admin() {
        return Admin.create(settings);
    }

    Consumer<byte[], byte[]> consumer() {
        Map<String, Object> all = new HashMap<>(settings);
        all.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        all.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 2000);
        return new AssignedConsumer(all);
    }

    Producer<byte[], byte[]> transactional(String transactionalId) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 30_000);
        all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 5 * 1024 * 1024);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** For the state of the loop: never waits long, because the next event says it all again. */
    Producer<byte[], byte[]> progress() {
        Map<String, Object> all = new HashMap<>(settings);
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 1_000);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** All of a topic that is there now. */
    Slice whole(Topic topic) {
        try (Consumer<byte[], byte[]> consumer = consumer()) {
            List<TopicPartition> partitions = IntStream.range(0, topic.partitions())
                    .mapToObj(partition -> new TopicPartition(topic.name(), partition))
                    .toList();
            return Lineage.slice(consumer.beginningOffsets(partitions), consumer.endOffsets(partitions));
        }
    }

    /** Reads a topic from its beginning to where it ends now. */
    public void readAll(Topic topic, java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> sink) {
        new SliceReader(this::consumer, System::nanoTime, PATIENCE).read(whole(topic), sink);
    }
}
