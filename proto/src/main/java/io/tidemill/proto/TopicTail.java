package io.tidemill.proto;

import com.google.protobuf.Message;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/**
 * Follows a topic of one partition from its beginning, under {@code read_committed}, on a daemon thread of its own.
 *
 * <p>Each accepted message goes to the listener, in order and once, on that thread. A record that cannot be read, and a
 * listener that throws, are logged and passed over. While the broker is away the thread waits and goes on where it was.
 * Nothing is committed: a new tail reads everything again.
 */
public final class TopicTail<M extends Message> implements AutoCloseable {
    private static final Logger LOG = System.getLogger(TopicTail.class.getName());
    private static final Duration POLL = Duration.ofMillis(250);
    private static final Duration BROKER_ANSWER = Duration.ofSeconds(5);
    private static final Duration PAUSE_AFTER_ERROR = Duration.ofMillis(500);

    private final Supplier<org.apache.kafka.clients.consumer.Consumer<byte[], byte[]>> consumers;
    private final TopicPartition partition;
    private final RecordReader<M> reader;
    private final Consumer<M> listener;
    private final Thread thread;
    private final CompletableFuture<Void> firstCaughtUp = new CompletableFuture<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicReference<org.apache.kafka.clients.consumer.Consumer<byte[], byte[]>> current =
            new AtomicReference<>();
    private volatile boolean caughtUp;
    private long nextOffset = -1;

    /**
     * A tail that has not started.
     *
     * @param consumerSettings at least {@code bootstrap.servers}; isolation and commits are set here
     */
    public TopicTail(Map<String, Object> consumerSettings, Topic topic, RecordReader<M> reader, Consumer<M> listener) {
        this(() -> new AssignedConsumer(settings(consumerSettings)), topic, reader, listener);
    }

    /** A tail over consumers that the caller makes: a new one after each error. */
    TopicTail(
            Supplier<org.apache.kafka.clients.consumer.Consumer<byte[], byte[]>> consumers,
            Topic topic,
            RecordReader<M> reader,
            Consumer<M> listener) {
        if (topic.partitions() != 1) {
            throw new IllegalArgumentException("Only a topic of one partition has one order to follow, but "
                    + topic.name() + " has " + topic.partitions() + ".");
        }
        this.consumers = consumers;
        this.partition = new TopicPartition(topic.name(), 0);
        this.reader = reader;
        this.listener = listener;
        this.thread = new Thread(this::run, "tail-" + topic.name());
        thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    /** Whether everything that the broker had when last asked has been given to the listener. */
    public boolean caughtUp() {
        return caughtUp;
    }

    /** Completes when the tail has first given to the listener all that was there when it looked. */
    public CompletableFuture<Void> firstCaughtUp() {
        return firstCaughtUp.copy();
    }

    @Override
    public void close() {
        closing.countDown();
        var consumer = current.get();
        if (consumer != null) {
            consumer.wakeup();
        }
        if (thread != Thread.currentThread()) {
            try {
                thread.join(BROKER_ANSWER.multipliedBy(2).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean running() {
        return closing.getCount() > 0;
    }

    private void run() {
        while (running()) {
            try (var consumer = consumers.get()) {
                current.set(consumer);
                follow(consumer);
            } catch (WakeupException asked) {
                // close() asked; the loop's condition answers
            } catch (KafkaException | IllegalStateException e) {
                caughtUp = false;
                LOG.log(
                        Level.WARNING,
                        "Following {0} was interrupted before offset {1}: {2}. Tried again in {3} ms.",
                        partition,
                        nextOffset,
                        e.toString(),
                        PAUSE_AFTER_ERROR.toMillis());
                pause();
            } finally {
                current.set(null);
            }
        }
        caughtUp = false;
    }

    private void follow(org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> consumer) {
        consumer.assign(List.of(partition));
        if (nextOffset < 0) {
            consumer.seekToBeginning(List.of(partition));
        } else {
            consumer.seek(partition, nextOffset);
        }
        while (running()) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                deliver(record);
                nextOffset = record.offset() + 1;
            }
            caughtUp = behind(consumer) == 0;
            if (caughtUp) {
                firstCaughtUp.complete(null);
            }
        }
    }

    /** Offsets still to be read, transaction marks included; the broker is asked until it has been reached once. */
    private long behind(org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> consumer) {
        if (firstCaughtUp.isDone() && consumer.currentLag(partition).isPresent()) {
            return consumer.currentLag(partition).getAsLong();
        }
        long end = consumer.endOffsets(Set.of(partition), BROKER_ANSWER).get(partition);
        return Math.max(0, end - consumer.position(partition, BROKER_ANSWER));
    }

    private void deliver(ConsumerRecord<byte[], byte[]> record) {
        Reading<M> reading = reader.read(record.value(), record.headers());
        if (reading instanceof Reading.Refused<M> refused) {
            LOG.log(
                    Level.WARNING,
                    "Record {0}@{1} is passed over ({2}): {3}",
                    partition,
                    record.offset(),
                    refused.code(),
                    refused.reason());
        } else if (reading instanceof Reading.Accepted<M> accepted) {
            try {
                listener.accept(accepted.message());
            } catch (RuntimeException e) {
                LOG.log(
                        Level.ERROR,
                        "Record " + partition + "@" + record.offset() + " could not be taken in and is passed over.",
                        e);
            }
        }
    }

    private void pause() {
        try {
            closing.await(PAUSE_AFTER_ERROR.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            closing.countDown();
        }
    }

    private static Map<String, Object> settings(Map<String, Object> given) {
        Map<String, Object> settings = new HashMap<>(given);
        settings.putIfAbsent(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) BROKER_ANSWER.toMillis());
        settings.putIfAbsent(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) BROKER_ANSWER.toMillis());
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        return settings;
    }
}
