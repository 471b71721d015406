package io.tidemill.feedback.testing;

import static org.awaitility.Awaitility.await;

import io.restassured.RestAssured;
import io.tidemill.feedback.answer.Task;
import io.tidemill.proto.v1.CheckpointEvent;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Publishes versions to the service under test. One store and one count of versions for all test classes. */
public final class Serving {
    public static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final FakeStore STORE = new FakeStore();
    private static final AtomicInteger ROUND = new AtomicInteger();
    private static String newest = "";

    private Serving() {}

    public static FakeStore store() {
        return STORE;
    }

    /** A version that no test has used. */
    public static String nextVersion() {
        return String.format("tidemill-%06d", ROUND.incrementAndGet());
    }

    /** Version that serves; the first call publishes one. */
    public static synchronized String some() {
        String now = served();
        return now == null ? promote() : now;
    }

    /** Publishes a new version and waits until it serves. */
    public static synchronized String promote() {
        return promote(Task.ANSWER);
    }

    /** The same of a version that is for something else; whoever calls it promotes one that answers in the end. */
    public static synchronized String promote(Task task) {
        String version = nextVersion();
        announce(STORE.promoted(version, newest, task));
        awaitServed(version);
        newest = version;
        return version;
    }

    public static void announce(CheckpointEvent event) {
        Kafka.append(Kafka.topics().checkpoints(), event.getModel(), event);
    }

    public static void awaitServed(String version) {
        await("version " + version + " serves").atMost(PATIENCE).until(() -> version.equals(served()));
    }

    public static String served() {
        return RestAssured.get("/v1/loop").jsonPath().getString("served.version");
    }
}
