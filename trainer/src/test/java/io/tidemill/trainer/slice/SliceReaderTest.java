package io.tidemill.trainer.slice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.trainer.data.Stages;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** On a real broker, because it is about what a broker puts between records. */
class SliceReaderTest {
    private static Consumer<byte[], byte[]> consumer() {
        return new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        SharedKafka.bootstrapServers(),
                        "isolation.level",
                        "read_committed",
                        "enable.auto.commit",
                        false,
                        "auto.offset.reset",
                        "none"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    /** Ten transactions of three records each; every second one is aborted. Each leaves a marker. */
    private static TopicPartition write(String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", SharedKafka.bootstrapServers()))) {
            admin.createTopics(Set.of(new NewTopic(topic, 1, (short) 1))).all().get();
        }
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", SharedKafka.bootstrapServers(), "transactional.id", topic),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.initTransactions();
            for (int transaction = 0; transaction < 10; transaction++) {
                producer.beginTransaction();
                for (int i = 0; i < 3; i++) {
                    String value = transaction + "." + i;
                    var unused = producer.send(new ProducerRecord<>(topic, value.getBytes(StandardCharsets.UTF_8)));
                }
                if (transaction % 2 == 0) {
                    producer.commitTransaction();
                } else {
                    producer.flush();
                    producer.abortTransaction();
                }
            }
        }
        return new TopicPartition(topic, 0);
    }

    private static List<String> read(Slice slice, Map<TopicPartition, Long> counts) {
        List<String> values = new ArrayList<>();
        SliceReader reader = new SliceReader(SliceReaderTest::consumer, System::nanoTime, Duration.ofSeconds(30));
        counts.putAll(reader.read(slice, record -> values.add(new String(record.value(), StandardCharsets.UTF_8))));
        return values;
    }

    @Test
    void aSliceIsItsCommittedRecordsHoweverManyOffsetsMarkersAndAbortedRecordsTake() throws Exception {
        TopicPartition partition = write("slice-reader-test");
        Map<TopicPartition, Long> counts = new HashMap<>();
        // 10 × (3 records + 1 marker) = 40 offsets, the last one a marker
        List<String> all = read(new Slice(List.of(new OffsetRange(partition, 0, 40))), counts);
        assertThat(all).hasSize(15).startsWith("0.0", "0.1", "0.2", "2.0").endsWith("8.2");
        assertThat(counts).isEqualTo(Map.of(partition, 15L));

        // offsets 2 to 9: the last record of transaction 0 and the first two of transaction 2
        assertThat(read(new Slice(List.of(new OffsetRange(partition, 2, 10))), counts))
                .containsExactly("0.2", "2.0", "2.1");
        assertThat(read(new Slice(List.of(new OffsetRange(partition, 40, 40))), counts))
                .isEmpty();
    }

    @Test
    void whatRetentionTookIsNamed() throws Exception {
        TopicPartition partition = write("slice-reader-gone");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", SharedKafka.bootstrapServers()))) {
            admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(20)))
                    .all()
                    .get();
        }
        assertThatThrownBy(() -> read(new Slice(List.of(new OffsetRange(partition, 0, 40))), new HashMap<>()))
                .isInstanceOf(SliceGoneException.class)
                .hasMessageContaining("no longer holds offsets")
                .hasMessageContaining("slice-reader-gone-0");
    }

    @Test
    void whatRetentionTookIsReadWhereSomebodyKeptAllOfIt() throws Exception {
        TopicPartition partition = write("slice-reader-kept");
        Slice all = new Slice(List.of(new OffsetRange(partition, 0, 40)));
        KeptSlices kept = slice -> all.covers(slice)
                ? Optional.of((asked, sink) -> IntStream.range(0, 40)
                        .filter(offset -> asked.has(partition, offset))
                        .forEach(offset -> sink.accept(new ConsumerRecord<>(
                                "slice-reader-kept",
                                0,
                                offset,
                                null,
                                ("copy " + offset).getBytes(StandardCharsets.UTF_8)))))
                : Optional.empty();
        SliceReader reader = new SliceReader(SliceReaderTest::consumer, System::nanoTime, Duration.ofSeconds(30), kept);
        Slice part = new Slice(List.of(new OffsetRange(partition, 2, 10)));
        List<String> values = new ArrayList<>();
        reader.read(part, record -> values.add(new String(record.value(), StandardCharsets.UTF_8)));
        assertThat(values).as("the log has it").containsExactly("0.2", "2.0", "2.1");

        try (Admin admin = Admin.create(Map.of("bootstrap.servers", SharedKafka.bootstrapServers()))) {
            admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4)))
                    .all()
                    .get();
        }
        values.clear();
        assertThat(reader.read(part, record -> values.add(new String(record.value(), StandardCharsets.UTF_8))))
                .isEqualTo(Map.of(partition, 8L));
        assertThat(values).hasSize(8).startsWith("copy 2").endsWith("copy 9");
        assertThat(reader.available(part)).isEqualTo(part);

        Slice more = new Slice(List.of(new OffsetRange(partition, 2, 41)));
        assertThat(reader.available(more)).isEqualTo(new Slice(List.of(new OffsetRange(partition, 4, 41))));
        assertThatThrownBy(() -> reader.read(more, record -> {})).isInstanceOf(SliceGoneException.class);
    }

    @Test
    void theBacklogCountsWhatIsCommittedFromWhereItWasStarted() throws Exception {
        TopicPartition partition = write("backlog-test");
        try (Backlog backlog = new Backlog(
                SliceReaderTest::consumer,
                record -> new Waiting(partition, record.offset(), record.timestamp(), Stages.PRETRAIN, 1),
                100)) {
            backlog.restart(List.of("backlog-test"), Map.of(), (some, offset) -> true);
            while (!backlog.caughtUp()) {
                backlog.poll(Duration.ofMillis(100));
            }
            assertThat(backlog.countsBeyond(Map.of())).isEqualTo(Map.of(Stages.PRETRAIN, 15L));
            assertThat(backlog.countsBeyond(Map.of(partition, 32L))).isEqualTo(Map.of(Stages.PRETRAIN, 3L));
            assertThat(backlog.positions()).isEqualTo(Map.of(partition, 40L));

            backlog.restart(List.of("backlog-test"), Map.of(partition, 32L), (some, offset) -> true);
            while (!backlog.caughtUp()) {
                backlog.poll(Duration.ofMillis(100));
            }
            assertThat(backlog.waiting()).hasSize(3);
        }
    }
}
