package io.tidemill.deploy.kafka.testing;

import io.tidemill.deploy.kafka.EmbeddedKafka;
import io.tidemill.deploy.kafka.EmbeddedKafkaSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The one broker of a test JVM, started on first use and stopped with the JVM. */
public final class SharedKafka {
    private static EmbeddedKafka broker;

    private SharedKafka() {}

    /** Address of the broker; the first call in a JVM starts it. */
    public static String bootstrapServers() {
        ClassLoader whole = ClassLoader.getSystemClassLoader();
        if (SharedKafka.class.getClassLoader() == whole) {
            return startOnce();
        }
        // Quarkus loads test classes again for every profile: the broker lives where all of them see the same one.
        try {
            return (String) Class.forName(SharedKafka.class.getName(), true, whole)
                    .getMethod("bootstrapServers")
                    .invoke(null);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException("The broker of the tests did not start", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("The system class loader does not see the test class path", e);
        }
    }

    private static synchronized String startOnce() {
        if (broker == null) {
            Path directory = temporaryDirectory();
            EmbeddedKafka started = start(directory);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(started, directory), "shared-kafka-stop"));
            broker = started;
        }
        return broker.bootstrapServers();
    }

    /** Kafka finds some of its classes through the thread's class loader, which in a test of Quarkus is another one. */
    private static EmbeddedKafka start(Path directory) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(SharedKafka.class.getClassLoader());
        try {
            return EmbeddedKafka.start(EmbeddedKafkaSettings.in(directory));
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static Path temporaryDirectory() {
        try {
            return Files.createTempDirectory("tidemill-test-kafka-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void stop(EmbeddedKafka broker, Path directory) {
        broker.close();
        try (Stream<Path> files = Files.walk(directory)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
