package io.tidemill.standalone;

import io.quarkus.runtime.Quarkus;
import io.tidemill.deploy.kafka.EmbeddedKafka;
import io.tidemill.deploy.kafka.EmbeddedKafkaException;
import io.tidemill.deploy.kafka.EmbeddedKafkaSettings;
import io.tidemill.model.engine.Threads;
import io.tidemill.proto.TopicCatalogue;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.jboss.logging.Logger;

/**
 * One process from its start to its end: data directory, broker, topics, services, and all of it back again.
 *
 * <p>The order is what keeps data whole. The services find a broker with its topics; at the end the broker goes after
 * the services, because Kafka Streams never finishes closing without one. Quarkus ends the JVM as soon as its own work
 * is done, so a hook of ours holds the JVM until the rest is done too, and ends it if that takes too long.
 */
public final class Mill {
    private static final Logger LOG = Logger.getLogger(Mill.class);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(30);

    private final MillSettings settings;
    private final PrintStream errors;
    private final Runnable afterwards;

    /** A mill that says on {@code errors} what went wrong while it ran. */
    public Mill(MillSettings settings, PrintStream errors) {
        this(settings, errors, () -> {});
    }

    /** @param afterwards runs when everything has stopped and nothing is held any more, before the JVM ends */
    public Mill(MillSettings settings, PrintStream errors, Runnable afterwards) {
        this.settings = settings;
        this.errors = errors;
        this.afterwards = afterwards;
    }

    /**
     * Runs until Ctrl-C or {@link Quarkus#asyncExit(int)}.
     *
     * @param onReady called once, on a thread of its own, when every service is ready
     * @return exit status
     * @throws CannotStartException before anything is started
     */
    public int run(Consumer<RunningMill> onReady) {
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> waitFor(stopped), "tidemill-stop"));
        try {
            refuseStrangers();
            Ports.check("--port", settings.host(), settings.port());
            loadEngine();
            try (DataDirectory held = DataDirectory.open(settings.data());
                    Broker broker = Broker.start(settings)) {
                settings.properties(broker.bootstrapServers()).forEach(System::setProperty);
                return serve(broker.bootstrapServers(), onReady);
            }
        } finally {
            afterwards.run();
            stopped.countDown();
        }
    }

    private int serve(String bootstrapServers, Consumer<RunningMill> onReady) {
        AtomicInteger status = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (Readiness readiness = new Readiness(settings, bootstrapServers, errors, onReady)) {
            readiness.watch();
            Quarkus.run(null, (code, thrown) -> {
                status.set(code);
                failure.set(thrown);
            });
        }
        if (failure.get() != null) {
            errors.println("tidemill: the services did not start: " + rootMessage(failure.get()));
            return 1;
        }
        return status.get();
    }

    /** libtorch is loaded while the broker starts. Where it cannot be, whoever needs it says so. */
    private static void loadEngine() {
        Thread loader = new Thread(
                () -> {
                    try {
                        Threads.intraOp();
                    } catch (RuntimeException | LinkageError e) {
                        LOG.debug("libtorch cannot be loaded", e);
                    }
                },
                "tidemill-engine");
        loader.setDaemon(true);
        loader.start();
    }

    /** Without keys, whoever reaches the port could steer the training. */
    private void refuseStrangers() {
        String authentication = settings.setting("feedback.authentication").orElse("none");
        if (!settings.isLoopback() && authentication.equals("none")) {
            throw new CannotStartException(
                    "--host " + settings.host() + " can be reached from other machines, and nothing"
                            + " tells who is rating; add --api-keys, or leave --host at 127.0.0.1.");
        }
    }

    private void waitFor(CountDownLatch stopped) {
        try {
            if (stopped.await(STOP_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        errors.println("tidemill: not everything had stopped after " + STOP_PATIENCE.toSeconds()
                + " s; ended all the same. Acknowledged data is on disk.");
        Runtime.getRuntime().halt(1);
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }

    /** The embedded broker with its topics, or the address of somebody else's. */
    private record Broker(String bootstrapServers, Optional<EmbeddedKafka> own) implements AutoCloseable {

        static Broker start(MillSettings settings) {
            if (settings.bootstrapServers().isPresent()) {
                return new Broker(settings.bootstrapServers().get(), Optional.empty());
            }
            try {
                EmbeddedKafka kafka = EmbeddedKafka.start(
                        EmbeddedKafkaSettings.in(settings.data().resolve("kafka"))
                                .withPort(settings.kafkaPort()));
                try {
                    ensureTopics(kafka.bootstrapServers(), settings);
                    return new Broker(kafka.bootstrapServers(), Optional.of(kafka));
                } catch (RuntimeException e) {
                    kafka.close();
                    throw e;
                }
            } catch (EmbeddedKafkaException | IllegalStateException e) {
                throw new CannotStartException(e.getMessage() + " (--kafka-port, --data)", e);
            }
        }

        private static void ensureTopics(String bootstrapServers, MillSettings settings) {
            TopicCatalogue topics = settings.topics();
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
                topics.ensure(admin, topics.all(), (short) 1);
            }
        }

        @Override
        public void close() {
            own.ifPresent(EmbeddedKafka::close);
        }
    }
}
