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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.LogManager;
import org.apache.kafka.clients.admin.Admin;
import org.jboss.logging.Logger;

/**
 * One process from its start to its end: data directory, broker, topics, services, and all of it back again.
 *
 * <p>The order is what keeps data whole. The services find a broker with its topics; at the end the broker goes after
 * the services, because Kafka Streams never finishes closing without one. Quarkus ends the JVM as soon as its own work
 * is done, so a hook of ours holds the JVM until the rest is done too, and ends it if that takes too long. Before the
 * services serve there is nothing to finish, so Ctrl-C then ends the JVM at once.
 */
public final class Mill {
    private static final Logger LOG = Logger.getLogger(Mill.class);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(30);

    /** Exit status of a program that Ctrl-C ended: 128 and the number of the signal. */
    private static final int INTERRUPTED = 130;

    private final MillSettings settings;
    private final PrintStream errors;
    private final Runnable afterwards;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final AtomicBoolean serving = new AtomicBoolean();
    private volatile boolean interrupted;

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
        hush();
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "tidemill-stop"));
        try {
            refuseStrangers();
            checkPorts();
            loadEngine();
            try (DataDirectory held = DataDirectory.open(settings.data());
                    DiskWatch disk = DiskWatch.of(settings.data(), errors, () -> Quarkus.asyncExit(1));
                    Broker broker = Broker.start(settings, errors)) {
                disk.start();
                settings.properties(broker.bootstrapServers(), held.instance()).forEach(System::setProperty);
                return serve(broker.bootstrapServers(), onReady);
            }
        } catch (RuntimeException | Error e) {
            if (interrupted) {
                return INTERRUPTED; // the JVM is ending: what fails now fails because of that
            }
            throw e;
        } finally {
            afterwards.run();
            stopped.countDown();
        }
    }

    private int serve(String bootstrapServers, Consumer<RunningMill> onReady) {
        AtomicInteger status = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (Readiness readiness =
                new Readiness(settings, bootstrapServers, errors, () -> serving.set(true), onReady)) {
            readiness.watch();
            Quarkus.run(null, (code, thrown) -> {
                status.set(code);
                failure.set(thrown);
            });
        }
        if (failure.get() != null && !interrupted) {
            errors.println("tidemill: the services did not start: " + CannotStartException.rootMessage(failure.get()));
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

    /**
     * Until Quarkus has read its settings, a record of the log is kept in memory, at any level, and all of them are
     * printed if the JVM ends before. The level that stands then is the settings' own.
     */
    private static void hush() {
        LogManager.getLogManager().getLogger("").setLevel(Level.SEVERE);
    }

    private void checkPorts() {
        Ports.check("--port", settings.host(), settings.port());
        if (settings.bootstrapServers().isPresent() || settings.kafkaPort() == 0) {
            return;
        }
        if (settings.kafkaPort() == settings.port()) {
            throw new CannotStartException(
                    "--port and --kafka-port are both " + settings.port() + "; each needs a port of its own.");
        }
        Ports.check("--kafka-port", EmbeddedKafkaSettings.LOOPBACK, settings.kafkaPort());
    }

    /** Runs when the JVM is about to end, for whatever reason. */
    private void stop() {
        if (stopped.getCount() == 0) {
            return;
        }
        interrupted = true;
        if (!serving.get()) {
            afterwards.run();
            Runtime.getRuntime().halt(INTERRUPTED);
        }
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

    /** The embedded broker with its topics, or the address of somebody else's. */
    private record Broker(String bootstrapServers, Optional<EmbeddedKafka> own) implements AutoCloseable {

        static Broker start(MillSettings settings, PrintStream errors) {
            if (settings.bootstrapServers().isPresent()) {
                Greeting.greet(
                        settings.bootstrapServers().get(),
                        "start it, correct the address, or leave the option out for the embedded broker.");
                return new Broker(settings.bootstrapServers().get(), Optional.empty());
            }
            try {
                EmbeddedKafka kafka = EmbeddedKafka.start(
                        EmbeddedKafkaSettings.in(settings.data().resolve("kafka"))
                                .withPort(settings.kafkaPort()),
                        lastWords -> errors.println("tidemill: " + lastWords));
                try {
                    ensureTopics(kafka.bootstrapServers(), settings);
                    return new Broker(kafka.bootstrapServers(), Optional.of(kafka));
                } catch (RuntimeException e) {
                    kafka.close();
                    throw e;
                }
            } catch (EmbeddedKafkaException | IllegalStateException e) {
                throw new CannotStartException(e.getMessage(), e);
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
