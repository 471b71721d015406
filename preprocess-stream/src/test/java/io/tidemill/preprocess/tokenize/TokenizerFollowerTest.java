package io.tidemill.preprocess.tokenize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TokenizerFollowerTest {
    private final List<String> happened = new CopyOnWriteArrayList<>();
    private final AtomicInteger failures = new AtomicInteger();
    private final TokenizerFollower<AutoCloseable> follower =
            new TokenizerFollower<>("tidemill", this::load, this::start, Duration.ofMillis(10));

    @AfterEach
    void close() {
        follower.close();
    }

    @Test
    void nothingStartsBeforeTheNewestVersionIsKnown() {
        follower.announced(event("v0", "aaa", VersionState.PROMOTED));
        follower.announced(event("v1", "bbb", VersionState.PROMOTED));
        assertThat(happened).isEmpty();

        follower.caughtUp();
        awaitHappened("start bbb");
    }

    @Test
    void aVersionWithTheSameTokenizerChangesNothing() {
        follower.caughtUp();
        follower.announced(event("v0", "aaa", VersionState.PROMOTED));
        awaitHappened("start aaa");
        follower.announced(event("v1", "aaa", VersionState.PROMOTED));
        follower.announced(event("v2", "bbb", VersionState.PROMOTED));

        awaitHappened("start aaa", "stop aaa", "start bbb");
    }

    @Test
    void candidatesAndOtherModelsDoNotCount() {
        follower.caughtUp();
        follower.announced(event("v0", "ccc", VersionState.CANDIDATE));
        follower.announced(event("v0", "ddd", VersionState.PROMOTED).toBuilder()
                .setModel("other")
                .build());
        follower.announced(event("v1", "aaa", VersionState.PROMOTED));

        awaitHappened("start aaa");
        assertThat(follower.problem()).isEmpty();
    }

    @Test
    void aVersionThatIsRolledBackGivesItsPlaceToTheOneBefore() {
        follower.announced(event("v0", "aaa", VersionState.PROMOTED));
        follower.announced(event("v1", "bbb", VersionState.PROMOTED));
        follower.announced(event("v1", "bbb", VersionState.ROLLED_BACK));
        follower.caughtUp();

        awaitHappened("start aaa");
    }

    @Test
    void aStoreThatIsAwayIsAskedAgain() {
        failures.set(3);
        follower.announced(event("v0", "aaa", VersionState.PROMOTED));
        follower.caughtUp();

        awaitHappened("start aaa");
        assertThat(failures.get()).isZero();
        assertThat(follower.problem()).isEmpty();
    }

    @Test
    void aTokenizerThatIsNotTheAnnouncedOneIsNotUsed() {
        follower.announced(event("v0", "not-what-it-says", VersionState.PROMOTED));
        follower.caughtUp();

        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(follower.problem()).contains("v0", "not-what-it-says", "other"));
        assertThat(follower.running()).isEmpty();
    }

    @Test
    void closingStopsTheApplication() {
        follower.announced(event("v0", "aaa", VersionState.PROMOTED));
        follower.caughtUp();
        awaitHappened("start aaa");
        follower.close();

        assertThat(happened).containsExactly("start aaa", "stop aaa");
    }

    private void awaitHappened(String... events) {
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(happened).containsExactly(events));
    }

    private Tokenization load(CheckpointEvent event) throws IOException {
        if (failures.get() > 0) {
            failures.decrementAndGet();
            throw new IOException("connection refused");
        }
        String fingerprint = event.getTokenizerFingerprint();
        return new Named(fingerprint.startsWith("not") ? "other" : fingerprint);
    }

    private AutoCloseable start(Tokenization tokenization) {
        happened.add("start " + tokenization.fingerprint());
        return () -> happened.add("stop " + tokenization.fingerprint());
    }

    private static CheckpointEvent event(String version, String fingerprint, VersionState state) {
        return CheckpointEvent.newBuilder()
                .setModel("tidemill")
                .setVersion(version)
                .setTokenizerFingerprint(fingerprint)
                .setState(state)
                .build();
    }

    /** A tokenizer of which only the fingerprint matters. */
    private record Named(String fingerprint) implements Tokenization {
        @Override
        public int endOfText() {
            return 0;
        }

        @Override
        public int[] encode(String text) {
            return new int[0];
        }

        @Override
        public Encoded encode(List<ChatMessage> conversation) {
            return new Encoded(new int[0], new byte[0], 0);
        }

        @Override
        public void close() {}
    }
}
