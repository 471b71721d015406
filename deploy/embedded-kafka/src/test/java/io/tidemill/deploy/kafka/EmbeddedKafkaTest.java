package io.tidemill.deploy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.deploy.kafka.testing.SharedKafka;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EmbeddedKafkaTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void aRestartOnTheSameDirectoryKeepsTheRecords(@TempDir Path directory) throws Exception {
        EmbeddedKafkaSettings settings = EmbeddedKafkaSettings.in(directory);
        try (EmbeddedKafka broker = EmbeddedKafka.start(settings)) {
            createTopic(broker.bootstrapServers(), "kept");
            try (KafkaProducer<byte[], byte[]> producer = producer(broker.bootstrapServers(), Map.of())) {
                producer.send(record("kept", "before the restart")).get();
            }
        }
        try (EmbeddedKafka broker = EmbeddedKafka.start(settings)) {
            try (KafkaProducer<byte[], byte[]> producer = producer(broker.bootstrapServers(), Map.of())) {
                producer.send(record("kept", "after it")).get();
            }
            assertThat(committed(broker.bootstrapServers(), "kept")).containsExactly("before the restart", "after it");
        }
    }

    @Test
    void anAbortedTransactionIsNotSeenByAReaderOfCommittedRecords() throws Exception {
        String servers = SharedKafka.bootstrapServers();
        createTopic(servers, "transactions");
        try (KafkaProducer<byte[], byte[]> producer = producer(servers, Map.of("transactional.id", "writer"))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(record("transactions", "committed"));
            producer.commitTransaction();
            producer.beginTransaction();
            producer.send(record("transactions", "aborted")).get();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.send(record("transactions", "committed later"));
            producer.commitTransaction();
        }
        assertThat(committed(servers, "transactions")).containsExactly("committed", "committed later");
    }

    @Test
    void aRecordOfFourAndAHalfMebibytesIsTaken() throws Exception {
        String servers = SharedKafka.bootstrapServers();
        createTopic(servers, "large");
        byte[] value = new byte[9 * 1024 * 1024 / 2];
        try (KafkaProducer<byte[], byte[]> producer =
                producer(servers, Map.of("max.request.size", String.valueOf(2 * value.length)))) {
            assertThat(producer.send(new ProducerRecord<>("large", value)).get().offset())
                    .isZero();
        }
    }

    @Test
    void aRecordIsStampedWithItsArrivalWhateverItsOwnTimeSays() throws Exception {
        String servers = SharedKafka.bootstrapServers();
        createTopic(servers, "backfill");
        long before = Instant.now().toEpochMilli();
        try (KafkaProducer<byte[], byte[]> producer = producer(servers, Map.of())) {
            long ofLongAgo = Instant.parse("1999-01-01T00:00:00Z").toEpochMilli();
            producer.send(new ProducerRecord<>("backfill", null, ofLongAgo, null, new byte[1]))
                    .get();
        }
        assertThat(read(servers, "backfill").get(0).timestamp()).isGreaterThanOrEqualTo(before);
    }

    @Test
    void aTakenPortIsNamedAndTheDirectoryIsLeftFree(@TempDir Path directory) throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = other.getLocalPort();
            EmbeddedKafkaSettings settings = EmbeddedKafkaSettings.in(directory).withPort(port);
            assertThatThrownBy(() -> EmbeddedKafka.start(settings))
                    .isInstanceOf(EmbeddedKafkaException.class)
                    .hasMessage("Kafka's port " + port
                            + " on 127.0.0.1 is taken by another program. Stop it, or choose another port.");
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aDirectoryInUseIsNamedAndItsBrokerGoesOn(@TempDir Path directory) throws Exception {
        EmbeddedKafkaSettings settings = EmbeddedKafkaSettings.in(directory);
        try (EmbeddedKafka first = EmbeddedKafka.start(settings)) {
            assertThatThrownBy(() -> EmbeddedKafka.start(settings))
                    .isInstanceOf(EmbeddedKafkaException.class)
                    .hasMessage("Another broker is using " + directory.toAbsolutePath()
                            + ". Stop it, or choose another directory.");
            createTopic(first.bootstrapServers(), "still-there");
        }
    }

    @Test
    void aPortThatCannotExistIsRefused(@TempDir Path directory) {
        assertThatThrownBy(() -> EmbeddedKafkaSettings.in(directory).withPort(70_000))
                .hasMessage("port must be between 0 and 65535, but was 70000");
    }

    private static void createTopic(String servers, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        }
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, String value) {
        return new ProducerRecord<>(topic, value.getBytes(StandardCharsets.UTF_8));
    }

    private static KafkaProducer<byte[], byte[]> producer(String servers, Map<String, String> more) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", servers);
        settings.put("acks", "all");
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static List<String> committed(String servers, String topic) {
        return read(servers, topic).stream()
                .map(r -> new String(r.value(), StandardCharsets.UTF_8))
                .toList();
    }

    /** Everything up to the last stable offset; fails when that is not reached in time. */
    private static List<ConsumerRecord<byte[], byte[]>> read(String servers, String topic) {
        Map<String, Object> settings = Map.of("bootstrap.servers", servers, "isolation.level", "read_committed");
        TopicPartition partition = new TopicPartition(topic, 0);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (consumer.position(partition) < end) {
                assertThat(System.nanoTime())
                        .as("read %s to offset %d", topic, end)
                        .isLessThan(deadline);
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
        }
        return records;
    }
}
