package io.tidemill.deploy.kafka;

import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * A Kafka broker in this process: one node that is broker and controller at once, its log on disk.
 *
 * <p>It is the same code as a broker that runs alone, transactions and {@code read_committed} included; what it lacks is
 * a second copy of the data. An acknowledged record survives the process, however it ends; it is as safe against a
 * crash of the machine as the file system's write-back makes it.
 *
 * <p>Close every Kafka Streams application before the broker: the other way round their close never ends.
 */
public final class EmbeddedKafka implements AutoCloseable {
    private static final int NODE_ID = 1;
    private static final long MEBIBYTE = 1024 * 1024;

    /** Someone else may take a free port between our looking and the broker's opening it. */
    private static final int PORT_ATTEMPTS = 5;

    private final String bootstrapServers;
    private final KafkaRaftServer server;
    private final DirectoryLock lock;
    private boolean closed;

    private EmbeddedKafka(String bootstrapServers, KafkaRaftServer server, DirectoryLock lock) {
        this.bootstrapServers = bootstrapServers;
        this.server = server;
        this.lock = lock;
    }

    /**
     * Starts the broker and returns when clients can use it.
     *
     * @throws EmbeddedKafkaException if the directory is in use, the port is taken, or the broker itself refuses
     */
    public static EmbeddedKafka start(EmbeddedKafkaSettings settings) {
        return start(settings, lastWords -> {});
    }

    /**
     * Starts the broker and returns when clients can use it.
     *
     * @param lastWords told why, in one sentence, before Kafka ends this process because its log cannot be written; the
     *                  last broker that was started in a process is the one that tells
     * @throws EmbeddedKafkaException if the directory is in use, the port is taken, or the broker itself refuses
     */
    public static EmbeddedKafka start(EmbeddedKafkaSettings settings, Consumer<String> lastWords) {
        if (settings.port() != 0 && !Ports.isFree(settings.host(), settings.port())) {
            throw portTaken(settings.host(), settings.port());
        }
        DirectoryLock lock = DirectoryLock.take(settings.directory());
        try {
            Path log = settings.directory().resolve("log");
            format(log);
            Exit.setHaltProcedure((status, message) -> halt(status, log, lastWords));
            return startOnAPort(settings, log, lock);
        } catch (RuntimeException | Error e) {
            lock.close();
            throw e;
        }
    }

    /** Address for the client setting {@code bootstrap.servers}. */
    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** Stops the broker and waits for it; a second call does nothing. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            server.shutdown();
            server.awaitShutdown();
        } finally {
            lock.close();
        }
    }

    private static void halt(int status, Path log, Consumer<String> lastWords) {
        lastWords.accept("Kafka cannot write its log " + log.toAbsolutePath() + " any more ("
                + log.toFile().getUsableSpace() / MEBIBYTE
                + " MiB of its disk are free), so the process ends; make room and start it again: what was"
                + " acknowledged is kept.");
        Runtime.getRuntime().halt(status);
    }

    private static EmbeddedKafka startOnAPort(EmbeddedKafkaSettings settings, Path log, DirectoryLock lock) {
        for (int attempt = 1; ; attempt++) {
            int port = settings.port() == 0 ? Ports.anyFree(settings.host()) : settings.port();
            int controllerPort = Ports.anyFree(EmbeddedKafkaSettings.LOOPBACK);
            KafkaRaftServer server = new KafkaRaftServer(
                    new KafkaConfig(configuration(settings, log, port, controllerPort)), Time.SYSTEM);
            try {
                server.startup();
                return new EmbeddedKafka(settings.host() + ":" + port, server, lock);
            } catch (RuntimeException e) {
                server.shutdown();
                if (!isBindFailure(e)) {
                    throw new EmbeddedKafkaException(
                            "The Kafka broker on " + settings.directory().toAbsolutePath() + " did not start: "
                                    + e.getMessage(),
                            e);
                }
                if (settings.port() != 0 && !Ports.isFree(settings.host(), port)) {
                    throw portTaken(settings.host(), port);
                }
                if (attempt == PORT_ATTEMPTS) {
                    throw new EmbeddedKafkaException("No free port after " + PORT_ATTEMPTS + " attempts.", e);
                }
            }
        }
    }

    /** Writes the empty metadata log of a new cluster; leaves a directory that has one as it is. */
    private static void format(Path log) {
        if (Files.exists(log.resolve("meta.properties"))) { // written last, so a format cut short is done again
            return;
        }
        try {
            new Formatter()
                    .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8))
                    .setNodeId(NODE_ID)
                    .setClusterId(Uuid.randomUuid().toString())
                    .setControllerListenerName("CONTROLLER")
                    .setMetadataLogDirectory(log.toString())
                    .addDirectory(log.toString())
                    .setIgnoreFormatted(true)
                    .run();
        } catch (Exception e) {
            throw new EmbeddedKafkaException(
                    "The broker's log " + log.toAbsolutePath() + " cannot be formatted: " + e.getMessage(), e);
        }
    }

    private static Map<String, String> configuration(
            EmbeddedKafkaSettings settings, Path log, int port, int controllerPort) {
        Map<String, String> c = new HashMap<>();
        c.put("process.roles", "broker,controller");
        c.put("node.id", String.valueOf(NODE_ID));
        c.put("controller.quorum.voters", NODE_ID + "@" + EmbeddedKafkaSettings.LOOPBACK + ":" + controllerPort);
        c.put(
                "listeners",
                "PLAINTEXT://" + settings.host() + ":" + port + ",CONTROLLER://" + EmbeddedKafkaSettings.LOOPBACK + ":"
                        + controllerPort);
        c.put("advertised.listeners", "PLAINTEXT://" + settings.host() + ":" + port);
        c.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        c.put("controller.listener.names", "CONTROLLER");
        c.put("inter.broker.listener.name", "PLAINTEXT");
        c.put("log.dirs", log.toString());

        // One node holds the only copy.
        c.put("default.replication.factor", "1");
        c.put("offsets.topic.replication.factor", "1");
        c.put("transaction.state.log.replication.factor", "1");
        c.put("transaction.state.log.min.isr", "1");
        c.put("share.coordinator.state.topic.replication.factor", "1");
        c.put("share.coordinator.state.topic.min.isr", "1");

        // Topics come from the catalogue, with the partitions that joins rely on; a misspelt name is an error.
        c.put("auto.create.topics.enable", "false");
        // Retention counts from arrival, or a backfill with old timestamps would be deleted at once.
        c.put("log.message.timestamp.type", "LogAppendTime");
        c.put("message.max.bytes", String.valueOf(settings.messageLimitBytes()));
        c.put("replica.fetch.max.bytes", String.valueOf(settings.messageLimitBytes()));

        // After an unclean stop the next start waits until the old session has run out.
        c.put("broker.session.timeout.ms", "2000");
        c.put("broker.heartbeat.interval.ms", "500");
        c.put("group.initial.rebalance.delay.ms", "0");

        // Small: a handful of clients on the same machine.
        c.put("offsets.topic.num.partitions", "4");
        c.put("transaction.state.log.num.partitions", "4");
        c.put("num.network.threads", "2");
        c.put("num.io.threads", "2");
        c.put("background.threads", "2");
        c.put("num.recovery.threads.per.data.dir", "2");
        c.put("log.cleaner.dedupe.buffer.size", "8388608");
        c.put("log.index.size.max.bytes", "1048576");
        return c;
    }

    private static EmbeddedKafkaException portTaken(String host, int port) {
        return new EmbeddedKafkaException("Kafka's port " + port + " on " + host
                + " is taken by another program. Stop it, or choose another port.");
    }

    private static boolean isBindFailure(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof BindException) {
                return true;
            }
        }
        return false;
    }
}
