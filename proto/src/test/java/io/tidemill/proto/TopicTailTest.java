package io.tidemill.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.v1.CheckpointEvent;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class TopicTailTest {
    private static final Topic TOPIC = new TopicCatalogue("tail-test.").checkpoints();
    private static final TopicPartition PARTITION = new TopicPartition(TOPIC.name(), 0);

    private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();

    @Test
    void allThatIsThereComesInOrderAndThenTheTailHasCaughtUp() throws Exception {
        MockConsumer<byte[], byte[]> consumer = consumer(0, 3);
        try (TopicTail<CheckpointEvent> tail = tail(List.of(consumer))) {
            tail.start();
            tail.firstCaughtUp().get(10, TimeUnit.SECONDS);
            assertThat(seen).containsExactly("m-000000", "m-000001", "m-000002");
            assertThat(tail.caughtUp()).isTrue();
        }
    }

    @Test
    void aRecordThatCannotBeReadIsPassedOver() throws Exception {
        MockConsumer<byte[], byte[]> consumer = consumer(0, 2);
        consumer.schedulePollTask(() -> consumer.addRecord(record(2, new byte[] {1, 2, 3})));
        consumer.schedulePollTask(() -> {
            consumer.updateEndOffsets(Map.of(PARTITION, 4L));
            consumer.addRecord(record(3, event(3)));
        });
        try (TopicTail<CheckpointEvent> tail = tail(List.of(consumer))) {
            tail.start();
            assertThat(next(3)).containsExactly("m-000000", "m-000001", "m-000003");
        }
    }

    @Test
    void afterAnErrorItGoesOnWhereItWasAndRepeatsNothing() throws Exception {
        MockConsumer<byte[], byte[]> first = consumer(0, 2);
        first.schedulePollTask(() -> first.setPollException(new KafkaException("the broker went away")));
        MockConsumer<byte[], byte[]> second = consumer(2, 4);
        try (TopicTail<CheckpointEvent> tail = tail(List.of(first, second))) {
            tail.start();
            assertThat(next(4)).containsExactly("m-000000", "m-000001", "m-000002", "m-000003");
            assertThat(first.closed()).isTrue();
        }
    }

    @Test
    void aListenerThatThrowsDoesNotStopTheTail() throws Exception {
        MockConsumer<byte[], byte[]> consumer = consumer(0, 2);
        try (TopicTail<CheckpointEvent> tail = new TopicTail<>(() -> consumer, TOPIC, Readers.checkpoints(), event -> {
            seen.add(event.getVersion());
            throw new IllegalArgumentException("not mine");
        })) {
            tail.start();
            assertThat(next(2)).containsExactly("m-000000", "m-000001");
        }
    }

    @Test
    void aClosedTailHasClosedItsConsumer() throws Exception {
        MockConsumer<byte[], byte[]> consumer = consumer(0, 1);
        TopicTail<CheckpointEvent> tail = tail(List.of(consumer));
        tail.start();
        tail.firstCaughtUp().get(10, TimeUnit.SECONDS);
        tail.close();
        assertThat(consumer.closed()).isTrue();
        assertThat(tail.caughtUp()).isFalse();
    }

    @Test
    void aTopicOfSeveralPartitionsHasNoOneOrder() {
        assertThatThrownBy(() -> new TopicTail<>(
                        Map.of(), new TopicCatalogue("t.").documents(), Readers.documents(), document -> {}))
                .hasMessageContaining("t.documents has 4");
    }

    private List<String> next(int count) throws InterruptedException {
        List<String> versions = new CopyOnWriteArrayList<>();
        while (versions.size() < count) {
            String version = seen.poll(10, TimeUnit.SECONDS);
            assertThat(version).as("after %s", versions).isNotNull();
            versions.add(version);
        }
        return versions;
    }

    private TopicTail<CheckpointEvent> tail(List<MockConsumer<byte[], byte[]>> consumers) {
        AtomicInteger made = new AtomicInteger();
        return new TopicTail<>(
                () -> consumers.get(made.getAndIncrement()),
                TOPIC,
                Readers.checkpoints(),
                event -> seen.add(event.getVersion()));
    }

    /** A consumer that has the records of these offsets once the tail has taken its place. */
    private static MockConsumer<byte[], byte[]> consumer(long from, long to) {
        MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
        consumer.updateBeginningOffsets(Map.of(PARTITION, 0L));
        consumer.updateEndOffsets(Map.of(PARTITION, to));
        consumer.schedulePollTask(() -> {
            for (long offset = from; offset < to; offset++) {
                consumer.addRecord(record(offset, event(offset)));
            }
        });
        return consumer;
    }

    private static ConsumerRecord<byte[], byte[]> record(long offset, byte[] value) {
        return new ConsumerRecord<>(TOPIC.name(), 0, offset, null, value);
    }

    private static byte[] event(long round) {
        return CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion(new VersionId("m", round).toString())
                .build()
                .toByteArray();
    }
}
