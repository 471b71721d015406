package io.tidemill.trainer.promotion;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;

/**
 * Follows {@code completions} and {@code feedback} from a canary's announcement on. Nothing is kept: a new watch reads it all
 * again. For one thread.
 */
final class CanaryWatch implements AutoCloseable {
    /** The announcement bears the trainer's clock, records bear the broker's. */
    private static final Duration CLOCKS_APART = Duration.ofMinutes(5);

    private final CheckpointEvent announced;
    private final Topic completions;
    private final Consumer<byte[], byte[]> consumer;
    private final ArmRatings ratings;

    /** @param consumer read_committed, without a group; closed by this */
    CanaryWatch(CheckpointEvent announced, TopicCatalogue topics, Consumer<byte[], byte[]> consumer) {
        this.announced = announced;
        this.completions = topics.completions();
        this.consumer = consumer;
        this.ratings = new ArmRatings(announced);
        List<TopicPartition> partitions = Stream.of(topics.completions(), topics.feedback())
                .flatMap(topic -> IntStream.range(0, topic.partitions())
                        .mapToObj(partition -> new TopicPartition(topic.name(), partition)))
                .toList();
        consumer.assign(partitions);
        long since = Timestamps.toMillis(announced.getCanary().getSince()) - CLOCKS_APART.toMillis();
        Map<TopicPartition, Long> times = new HashMap<>();
        partitions.forEach(partition -> times.put(partition, since));
        Map<TopicPartition, OffsetAndTimestamp> offsets = consumer.offsetsForTimes(times);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        partitions.forEach(partition -> consumer.seek(
                partition,
                offsets.get(partition) == null
                        ? ends.get(partition)
                        : offsets.get(partition).offset()));
    }

    /** Does it follow this canary? */
    boolean follows(CheckpointEvent canary) {
        return announced.getVersion().equals(canary.getVersion())
                && announced.getCanary().getSince().equals(canary.getCanary().getSince());
    }

    /** Takes in what has come, without waiting for more. */
    void poll() {
        try {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ZERO)) {
                if (record.topic().equals(completions.name())) {
                    if (Readers.completions().read(record.value(), record.headers())
                            instanceof Reading.Accepted<Completion> completion) {
                        ratings.take(completion.message());
                    }
                } else if (Readers.feedback().read(record.value(), record.headers())
                        instanceof Reading.Accepted<Feedback> feedback) {
                    ratings.take(feedback.message(), record.timestamp(), record.partition(), record.offset());
                }
            }
        } catch (OffsetOutOfRangeException e) { // retention has taken what nobody had read
            consumer.beginningOffsets(e.partitions()).forEach(consumer::seek);
        }
    }

    CanaryFigures figures() {
        return ratings.figures();
    }

    /** Has it shown to be good enough (true), or too bad? After its time the announcement says which it is taken to be. */
    Optional<Outcome> outcome(Instant now) {
        Optional<Boolean> good = ratings.good();
        if (good.isPresent()) {
            return good.map(it -> new Outcome(it, true));
        }
        boolean over =
                now.toEpochMilli() > Timestamps.toMillis(announced.getCanary().getUntil());
        return over && caughtUp()
                ? Optional.of(new Outcome(announced.getCanary().getPromotedWithoutEvidence(), false))
                : Optional.empty();
    }

    private boolean caughtUp() {
        return consumer.endOffsets(consumer.assignment()).entrySet().stream()
                .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    @Override
    public void close() {
        consumer.close();
    }

    /** @param shown the ratings show it, rather than the time being over */
    record Outcome(boolean promoted, boolean shown) {}
}
