package io.tidemill.auditor;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The log as an outsider reads it: what is committed, up to an end that stands still. Commits and writes nothing. */
final class Log implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(250);
    private static final Duration PAUSE = Duration.ofMillis(100);

    private final String bootstrapServers;
    private final Duration patience;
    private final Admin admin;

    Log(String bootstrapServers, Duration patience) {
        this.bootstrapServers = bootstrapServers;
        this.patience = patience;
        int millis = Math.toIntExact(patience.toMillis());
        this.admin = Admin.create(Map.of(
                "bootstrap.servers", bootstrapServers,
                "default.api.timeout.ms", millis,
                "request.timeout.ms", Math.min(millis, 30_000)));
    }

    Set<String> topics() {
        return answer(admin.listTopics().names(), "the names of topics");
    }

    /**
     * Beginnings and ends of topics; those that do not exist have none.
     *
     * <p>The end is the last stable offset, once it has reached the high watermark of the call's beginning: whatever was
     * committed before the call, on whichever partition, is below it.
     */
    Frozen freeze(Collection<String> topics) {
        Set<String> existing = topics();
        List<TopicPartition> partitions = answer(
                        admin.describeTopics(topics.stream()
                                        .filter(existing::contains)
                                        .toList())
                                .allTopicNames(),
                        "the partitions of " + topics)
                .values()
                .stream()
                .flatMap(topic -> topic.partitions().stream()
                        .map(partition -> new TopicPartition(topic.name(), partition.partition())))
                .toList();
        Map<TopicPartition, Long> written = offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
        long deadline = System.nanoTime() + patience.toNanos();
        Map<TopicPartition, Long> stable = offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
        while (!reached(stable, written)) {
            if (System.nanoTime() > deadline) {
                throw new AuditException("A transaction on " + topics + " has been open for " + patience.toSeconds()
                        + " s, so it cannot be told what is committed. Try again.");
            }
            pause();
            stable = offsets(partitions, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
        }
        return new Frozen(offsets(partitions, OffsetSpec.earliest(), IsolationLevel.READ_COMMITTED), stable);
    }

    private static boolean reached(Map<TopicPartition, Long> stable, Map<TopicPartition, Long> written) {
        return written.entrySet().stream().allMatch(end -> stable.get(end.getKey()) >= end.getValue());
    }

    private Map<TopicPartition, Long> offsets(
            Collection<TopicPartition> partitions, OffsetSpec which, IsolationLevel isolation) {
        Map<TopicPartition, OffsetSpec> asked =
                partitions.stream().collect(Collectors.toMap(partition -> partition, partition -> which));
        Map<TopicPartition, ListOffsetsResultInfo> found = answer(
                admin.listOffsets(asked, new ListOffsetsOptions(isolation)).all(), "the ends of partitions");
        Map<TopicPartition, Long> offsets = new HashMap<>();
        found.forEach((partition, info) -> offsets.put(partition, info.offset()));
        return offsets;
    }

    /** What a consumer group has committed, transactions included; nothing where there is no such group. */
    Map<TopicPartition, Long> committed(String group) {
        Map<TopicPartition, Long> committed = new HashMap<>();
        try {
            Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(
                            group, new ListConsumerGroupOffsetsOptions().requireStable(true))
                    .partitionsToOffsetAndMetadata()
                    .get(patience.toMillis(), TimeUnit.MILLISECONDS);
            offsets.forEach((partition, offset) -> {
                if (offset != null) {
                    committed.put(partition, offset.offset());
                }
            });
            return committed;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return committed;
            }
            throw unanswered("the position of " + group, e);
        } catch (InterruptedException | TimeoutException e) {
            throw unanswered("the position of " + group, e);
        }
    }

    /** Every committed record of these topics, from the beginning to the frozen end. */
    void read(Collection<String> topics, Frozen frozen, Consumer<ConsumerRecord<byte[], byte[]>> reader) {
        Map<TopicPartition, Long> from = new HashMap<>();
        frozen.beginnings().forEach((partition, beginning) -> {
            if (topics.contains(partition.topic())) {
                from.put(partition, beginning);
            }
        });
        read(from, frozen.ends(), reader);
    }

    void read(
            Map<TopicPartition, Long> from,
            Map<TopicPartition, Long> to,
            Consumer<ConsumerRecord<byte[], byte[]>> reader) {
        Set<TopicPartition> open = from.keySet().stream()
                .filter(partition -> from.get(partition) < to.getOrDefault(partition, 0L))
                .collect(Collectors.toSet());
        if (open.isEmpty()) {
            return;
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            consumer.assign(open);
            open.forEach(partition -> consumer.seek(partition, from.get(partition)));
            long deadline = System.nanoTime() + patience.toNanos();
            while (!open.isEmpty()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() < to.get(new TopicPartition(record.topic(), record.partition()))) {
                        reader.accept(record);
                    }
                    deadline = System.nanoTime() + patience.toNanos();
                }
                List<TopicPartition> done = open.stream()
                        .filter(partition -> consumer.position(partition) >= to.get(partition))
                        .toList();
                consumer.pause(done);
                done.forEach(open::remove);
                if (System.nanoTime() > deadline) {
                    throw new AuditException("The broker at " + bootstrapServers + " has sent nothing of " + open
                            + " for " + patience.toSeconds() + " s. Try again when it answers.");
                }
            }
        } catch (KafkaException e) {
            throw new AuditException("The log at " + bootstrapServers + " cannot be read: " + e.getMessage(), e);
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        return new KafkaConsumer<byte[], byte[]>(
                Map.of(
                        "bootstrap.servers",
                        bootstrapServers,
                        "isolation.level",
                        "read_committed",
                        "enable.auto.commit",
                        false,
                        "allow.auto.create.topics",
                        false,
                        // What retention takes while it is read is read no more; the pass goes on behind it.
                        "auto.offset.reset",
                        "earliest",
                        "default.api.timeout.ms",
                        Math.toIntExact(patience.toMillis())),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer()) {
            @Override
            public void close() { // without waiting for the answer to the fetch under way
                close(CloseOptions.timeout(Duration.ZERO));
            }
        };
    }

    private <T> T answer(KafkaFuture<T> future, String what) {
        try {
            return future.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw unanswered(what, e);
        }
    }

    private AuditException unanswered(String what, Exception e) {
        if (e instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        String why = Optional.ofNullable(e.getCause()).map(Throwable::toString).orElse(e.toString());
        return new AuditException("The broker at " + bootstrapServers + " does not tell " + what + ": " + why, e);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AuditException("The audit was interrupted.", e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }
}
