package io.tidemill.ingest;

import com.google.protobuf.Message;
import io.tidemill.ingest.upload.EventLog;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.jboss.logging.Logger;

/**
 * Lets nothing be written before the topics are there with the catalogue's partitions: a broker that makes topics by
 * itself would make them with its own. Tries until it is so, on a daemon thread, so that the service starts without a
 * broker.
 */
final class TopicGate implements EventLog, AutoCloseable {
    private static final Logger LOG = Logger.getLogger(TopicGate.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final int BROKER_ANSWER_MILLIS = 5_000;

    private final EventLog behind;
    private final Runnable ensure;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;
    private volatile String closedBecause = "The topics have not been looked for yet.";
    private volatile boolean open;

    TopicGate(EventLog behind, Runnable ensure) {
        this.behind = behind;
        this.ensure = ensure;
        this.thread = new Thread(this::tryUntilOpen, "ingest-topics");
        thread.setDaemon(true);
    }

    /** A gate that opens when these topics are there. */
    static TopicGate before(
            EventLog behind,
            Map<String, Object> settings,
            TopicCatalogue catalogue,
            Collection<Topic> topics,
            short replicationFactor) {
        return new TopicGate(behind, () -> {
            Map<String, Object> all = new HashMap<>(settings);
            all.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, BROKER_ANSWER_MILLIS);
            all.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, BROKER_ANSWER_MILLIS);
            try (Admin admin = Admin.create(all)) {
                catalogue.ensure(admin, topics, replicationFactor);
            }
        });
    }

    void start() {
        thread.start();
    }

    private void tryUntilOpen() {
        String told = "";
        while (closing.getCount() > 0) {
            try {
                ensure.run();
                open = true;
                LOG.info("The topics are there; records are taken.");
                return;
            } catch (KafkaException | IllegalStateException e) {
                closedBecause = e.getMessage();
                if (!told.equals(closedBecause)) {
                    LOG.warnf("Nothing is taken yet: %s Tried again every %d s.", closedBecause, PAUSE.toSeconds());
                    told = closedBecause;
                }
            }
            try {
                closing.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** Why nothing can be written; empty when it can. */
    Optional<String> closedBecause() {
        return open ? Optional.empty() : Optional.of(closedBecause);
    }

    @Override
    public CompletableFuture<Void> append(Topic topic, String key, Message message, Optional<String> idempotencyKey) {
        return open
                ? behind.append(topic, key, message, idempotencyKey)
                : CompletableFuture.failedFuture(new KafkaException(closedBecause));
    }

    @Override
    public void close() {
        closing.countDown();
    }
}
