package io.tidemill.preprocess.stream;

import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jboss.logging.Logger;

/**
 * One Kafka Streams application, kept running: its topics are made first, a broker that is away is waited for, and what
 * stops it is logged and tried again. {@link #close} ends it within {@link #CLOSE_LIMIT}.
 */
public final class StreamsApplication implements AutoCloseable {
    /** Longest time that {@link #close} takes. */
    public static final Duration CLOSE_LIMIT = Duration.ofSeconds(10);

    private static final Logger LOG = Logger.getLogger(StreamsApplication.class);
    private static final Duration STREAMS_CLOSE_LIMIT = Duration.ofSeconds(8);
    private static final long FIRST_PAUSE_MILLIS = 500;
    private static final long LONGEST_PAUSE_MILLIS = 15_000;
    private static final int ADMIN_TIMEOUT_MILLIS = 15_000;

    private final String id;
    private final Supplier<Topology> topology;
    private final TopicCatalogue catalogue;
    private final List<Topic> topics;
    private final StreamsSettings settings;
    private final Failures failures;
    private final Thread supervisor;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile KafkaStreams streams;
    private volatile String problem;
    private volatile boolean left;
    private volatile boolean asking;
    private volatile CountDownLatch ended = new CountDownLatch(1);
    private volatile long pauseMillis = FIRST_PAUSE_MILLIS;

    /**
     * An application that has not started.
     *
     * @param id     application id: consumer group, folder of the stores, and prefix of internal topics
     * @param topics that it reads and writes, made where they are missing
     */
    public StreamsApplication(
            String id,
            Supplier<Topology> topology,
            TopicCatalogue catalogue,
            List<Topic> topics,
            StreamsSettings settings,
            Failures failures) {
        this.id = id;
        this.topology = topology;
        this.catalogue = catalogue;
        this.topics = List.copyOf(topics);
        this.settings = settings;
        this.failures = failures;
        this.supervisor = new Thread(this::supervise, "supervise-" + id);
        supervisor.setDaemon(true);
    }

    public void start() {
        supervisor.start();
    }

    public String id() {
        return id;
    }

    /** State of Kafka Streams, or STARTING while there is none yet. */
    public String state() {
        KafkaStreams current = streams;
        return current == null ? "STARTING" : current.state().name();
    }

    public boolean isRunning() {
        KafkaStreams current = streams;
        return current != null && current.state() == KafkaStreams.State.RUNNING;
    }

    /** Why it does not run, in one sentence. */
    public Optional<String> problem() {
        return isRunning() ? Optional.empty() : Optional.ofNullable(problem);
    }

    /** Records that wait, by topic, as far as the consumers have asked. */
    public Map<String, Long> lagRecords() {
        Map<String, Long> lag = new TreeMap<>();
        KafkaStreams current = streams;
        if (current != null) {
            current.metrics().forEach((name, metric) -> {
                if (name.name().equals("records-lag")
                        && name.tags().containsKey("topic")
                        && metric.metricValue() instanceof Double records
                        && Double.isFinite(records)) {
                    lag.merge(name.tags().get("topic"), records.longValue(), Long::sum);
                }
            });
        }
        // Kafka 4.1 measures a topic with dots in its name a second time, under its older name with underscores.
        Set<String> names = Set.copyOf(lag.keySet());
        for (String name : names) {
            String older = name.replace('.', '_');
            if (!older.equals(name)) {
                lag.remove(older);
            }
        }
        return lag;
    }

    /**
     * Ends the application in order.
     *
     * @throws IllegalStateException where it has not ended in time; its threads may still use what they were given
     */
    @Override
    public void close() {
        closing.countDown();
        ended.countDown();
        if (asking) {
            supervisor.interrupt(); // nothing runs yet: do not wait for a broker that does not answer
        }
        boolean inTime;
        try {
            inTime = endsWithin(CLOSE_LIMIT) && !left;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            inTime = false;
        }
        if (!inTime) {
            throw new IllegalStateException(
                    id + " has not ended within " + CLOSE_LIMIT + ". Its stores are rebuilt at the next start.");
        }
    }

    private boolean endsWithin(Duration limit) throws InterruptedException {
        supervisor.join(limit.toMillis());
        return !supervisor.isAlive();
    }

    private boolean isClosing() {
        return closing.getCount() == 0;
    }

    private void supervise() {
        while (!isClosing()) {
            try {
                ensureTopics();
                run();
            } catch (TimeoutException e) {
                notRunning("no broker answers at " + settings.bootstrapServers() + " (" + e.getMessage() + ")");
            } catch (RuntimeException e) {
                notRunning(e.getMessage() == null ? e.toString() : e.getMessage());
            }
            pause();
        }
    }

    private void notRunning(String why) {
        problem = why;
        if (!isClosing()) {
            LOG.warnf("%s is not running: %s. Tried again in %d ms.", id, why, pauseMillis);
        }
    }

    private void ensureTopics() {
        asking = true;
        Map<String, Object> adminSettings = Map.of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, settings.bootstrapServers(),
                AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MILLIS,
                AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, ADMIN_TIMEOUT_MILLIS);
        try (Admin admin = Admin.create(adminSettings)) {
            catalogue.ensure(admin, topics, (short) settings.replicationFactor());
        } finally {
            asking = false;
        }
    }

    /** Runs until it fails or is to be closed. */
    private void run() {
        CountDownLatch end = new CountDownLatch(1);
        ended = end;
        if (isClosing()) {
            return;
        }
        StopMark mark = new StopMark(settings.directory(), id);
        mark.starts();
        KafkaStreams started = new KafkaStreams(topology.get(), settings.of(id, failures));
        try {
            started.setUncaughtExceptionHandler(this::failed);
            started.setStateListener((now, before) -> {
                LOG.infof("application=%s state=%s", id, now);
                if (now == KafkaStreams.State.RUNNING) {
                    pauseMillis = FIRST_PAUSE_MILLIS;
                } else if (now.hasCompletedShutdown() || now == KafkaStreams.State.PENDING_ERROR) {
                    end.countDown();
                }
            });
            streams = started;
            started.start();
            end.await();
        } catch (InterruptedException e) {
            closing.countDown();
        } finally {
            boolean failed = !started.state().isRunningOrRebalancing();
            boolean inTime = started.close(STREAMS_CLOSE_LIMIT);
            left = !inTime;
            if (inTime && !failed) {
                mark.stopped();
            }
        }
    }

    private StreamThreadExceptionResponse failed(Throwable cause) {
        problem = cause.toString();
        LOG.errorf(cause, "%s stopped and is started again.", id);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }

    private void pause() {
        try {
            closing.await(pauseMillis, TimeUnit.MILLISECONDS);
            pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, 2 * pauseMillis);
        } catch (InterruptedException e) {
            closing.countDown();
        }
    }
}
