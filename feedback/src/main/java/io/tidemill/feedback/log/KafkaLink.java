package io.tidemill.feedback.log;

import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jboss.logging.Logger;

/** How this service reaches Kafka: settings of its clients, and its topics, made as soon as a broker answers. */
public final class KafkaLink implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(KafkaLink.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final String bootstrapServers;
    private final Duration timeout;
    private final TopicCatalogue catalogue;
    private final List<Topic> topics;
    private final short replicationFactor;
    private final BiConsumer<String, Throwable> failed;
    private Optional<Thread> ensuring = Optional.empty();

    /**
     * @param timeout longest wait for an acknowledgement
     * @param topics  that this service reads or writes
     * @param failed  hears of topics that cannot be used, by place and reason
     */
    public KafkaLink(
            String bootstrapServers,
            Duration timeout,
            TopicCatalogue catalogue,
            List<Topic> topics,
            short replicationFactor,
            BiConsumer<String, Throwable> failed) {
        this.bootstrapServers = bootstrapServers;
        this.timeout = timeout;
        this.catalogue = catalogue;
        this.topics = List.copyOf(topics);
        this.replicationFactor = replicationFactor;
        this.failed = failed;
    }

    /** @param ready runs once all topics are there */
    public void start(Runnable ready) {
        Thread thread = new Thread(
                () -> {
                    if (ensureTopics()) {
                        ready.run();
                    }
                },
                "feedback-topics");
        thread.setDaemon(true);
        thread.start();
        ensuring = Optional.of(thread);
    }

    /** What every client needs. */
    public Map<String, Object> clientSettings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000);
        return settings;
    }

    /** A producer that acknowledges only what is kept, or gives up after the timeout. */
    public Producer<String, byte[]> producer() {
        Map<String, Object> settings = clientSettings();
        int millis = (int) timeout.toMillis();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, millis);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, millis);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, millis);
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, TopicCatalogue.MAX_SOURCE_RECORD_BYTES);
        return new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    /** Returns whether all topics are there; false where one cannot be used, or the service stops. */
    private boolean ensureTopics() {
        boolean told = false;
        while (true) {
            try (Admin admin = Admin.create(clientSettings())) {
                catalogue.ensure(admin, topics, replicationFactor);
                return true;
            } catch (IllegalStateException e) {
                LOG.error(e.getMessage());
                failed.accept("topics", e);
                return false;
            } catch (KafkaException e) {
                if (!told) {
                    LOG.warnf("Kafka at %s does not answer yet: %s", bootstrapServers, e.getMessage());
                    told = true;
                }
            }
            try {
                Thread.sleep(PAUSE.toMillis());
            } catch (InterruptedException e) {
                return false;
            }
        }
    }

    @Override
    public void close() {
        ensuring.ifPresent(Thread::interrupt);
    }
}
