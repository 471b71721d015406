package io.tidemill.feedback.log;

import com.google.protobuf.Message;
import io.tidemill.proto.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jboss.logging.Logger;

/**
 * Writes this service's events to Kafka and tells when the broker has acknowledged them. Never blocks its caller: a
 * producer without a broker blocks inside {@code send}, so one thread of its own does the sending, behind a bounded
 * queue.
 */
public final class EventLog implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(EventLog.class);
    private static final int QUEUE = 4096;
    /** What was taken in before the end is still sent, if the broker takes it soon. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    private static final byte[] PROTOBUF = "application/x-protobuf".getBytes(StandardCharsets.UTF_8);

    private final Supplier<Producer<String, byte[]>> producers;
    private final Duration timeout;
    private final Runnable reachabilityChanged;
    private final ThreadPoolExecutor sender;
    private volatile boolean reachable = true;
    private Producer<String, byte[]> producer;

    /**
     * @param producers           makes the producer, with acks=all and idempotence, when it is first needed: a broker whose
     *                            name does not resolve yet must not keep the service from starting
     * @param timeout             longest wait for an acknowledgement
     * @param reachabilityChanged told when the broker went away or came back
     */
    public EventLog(Supplier<Producer<String, byte[]>> producers, Duration timeout, Runnable reachabilityChanged) {
        this.producers = producers;
        this.timeout = timeout;
        this.reachabilityChanged = reachabilityChanged;
        this.sender = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUE), task -> {
            Thread thread = new Thread(task, "feedback-log");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Appends one event. The future completes when the broker has acknowledged it, and fails with {@link Unavailable}
     * or {@link TooLarge}; what timed out before it was sent is not sent any more.
     */
    public CompletableFuture<Void> append(Topic topic, String key, Message event) {
        CompletableFuture<Void> acknowledged = new CompletableFuture<>();
        try {
            sender.execute(() -> send(topic.name(), key, event.toByteArray(), acknowledged));
        } catch (RejectedExecutionException e) {
            acknowledged.completeExceptionally(new Unavailable("the queue of " + QUEUE + " events is full", e));
        }
        return acknowledged.orTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS).handle((done, failure) -> {
            if (failure == null) {
                reachable(true);
                return done;
            }
            throw translated(failure, topic.name());
        });
    }

    /** Connects now and learns where the topics are, so that the first answer's end does not wait for it. */
    public void prepare(Topic... topics) {
        sender.execute(() -> {
            try {
                for (Topic topic : topics) {
                    producer().partitionsFor(topic.name());
                }
            } catch (KafkaException e) {
                LOG.debug("Kafka does not answer yet; the first event will tell", e);
            }
        });
    }

    private void send(String topic, String key, byte[] value, CompletableFuture<Void> acknowledged) {
        if (acknowledged.isDone()) {
            return;
        }
        ProducerRecord<String, byte[]> record = new ProducerRecord<>(topic, key, value);
        record.headers().add("content-type", PROTOBUF);
        try {
            producer().send(record, (metadata, failure) -> {
                if (failure == null) {
                    acknowledged.complete(null);
                } else {
                    acknowledged.completeExceptionally(failure);
                }
            });
        } catch (RuntimeException e) {
            acknowledged.completeExceptionally(e);
        }
    }

    private synchronized Producer<String, byte[]> producer() {
        if (producer == null) {
            producer = producers.get();
        }
        return producer;
    }

    private RuntimeException translated(Throwable failure, String topic) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        if (failure instanceof RecordTooLargeException || cause instanceof RecordTooLargeException) {
            return new TooLarge(failure);
        }
        reachable(false);
        String what = failure instanceof TimeoutException
                ? "no acknowledgement within " + timeout.toMillis() + " ms"
                : rootMessage(failure);
        return new Unavailable("topic " + topic + ", " + what, failure);
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.toString() : root.getMessage();
        return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
    }

    private void reachable(boolean now) {
        if (reachable != now) {
            reachable = now;
            reachabilityChanged.run();
        }
    }

    /** Waits for an acknowledgement; a failure comes as the exception that it is, not wrapped. */
    public static <T> T await(CompletableFuture<T> acknowledged) {
        try {
            return acknowledged.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** Whether the newest event was acknowledged. */
    public boolean reachable() {
        return reachable;
    }

    @Override
    public void close() {
        sender.shutdown();
        try {
            if (!sender.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                sender.shutdownNow();
            }
        } catch (InterruptedException e) {
            sender.shutdownNow();
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            if (producer != null) {
                producer.close(GRACE);
            }
        }
    }

    /** The broker does not acknowledge; nothing is known to be kept. */
    public static final class Unavailable extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private Unavailable(String what, Throwable cause) {
            super("Kafka does not take events: " + what + ". Nothing was accepted; try again.", cause);
        }
    }

    /** One event is larger than the broker takes. */
    public static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private TooLarge(Throwable cause) {
            super("The event is larger than Kafka takes: " + cause.getMessage(), cause);
        }
    }
}
