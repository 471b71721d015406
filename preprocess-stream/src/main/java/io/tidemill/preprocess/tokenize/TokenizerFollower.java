package io.tidemill.preprocess.tokenize;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jboss.logging.Logger;

/**
 * Keeps the tokenize application on the tokenizer of the newest promoted version: gets the tokenizer, starts the
 * application, and replaces it when a version with another tokenizer is promoted.
 *
 * @param <A> the running application
 */
public final class TokenizerFollower<A extends AutoCloseable> implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(TokenizerFollower.class);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(10);

    private final String model;
    private final Loader loader;
    private final Function<Tokenization, A> starter;
    private final Duration retry;
    private final ExecutorService worker = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "follow-tokenizer");
        thread.setDaemon(true);
        return thread;
    });

    // Guarded by this; the running application is changed by the worker alone.
    private final Map<String, CheckpointEvent> promoted = new LinkedHashMap<>();
    private boolean caughtUp;
    private boolean closed;
    private Running<A> running;
    private String problem = "";

    /** Gets a version's tokenizer onto this machine. */
    @FunctionalInterface
    public interface Loader {
        Tokenization load(CheckpointEvent event) throws IOException;
    }

    /** An application with the tokenizer that it uses and the version that this came from. */
    public record Running<A>(A application, Tokenization tokenization, String version) {}

    /**
     * A follower that waits for events.
     *
     * @param starter starts the application and returns at once
     * @param retry   pause after a loading that failed
     */
    public TokenizerFollower(String model, Loader loader, Function<Tokenization, A> starter, Duration retry) {
        this.model = model;
        this.loader = loader;
        this.starter = starter;
        this.retry = retry;
    }

    /** An event of {@code checkpoints}, in order. */
    public synchronized void announced(CheckpointEvent event) {
        if (!event.getModel().equals(model)) {
            return;
        }
        if (event.getState() == VersionState.PROMOTED
                && !event.getTokenizerFingerprint().isEmpty()) {
            promoted.remove(event.getVersion()); // promoted again is newest again
            promoted.put(event.getVersion(), event);
        } else if (event.getState() == VersionState.ROLLED_BACK) {
            promoted.remove(event.getVersion());
        } else {
            return;
        }
        reconcileSoon();
    }

    /** All that was on the topic has been announced: what is newest now really is. */
    public synchronized void caughtUp() {
        caughtUp = true;
        reconcileSoon();
    }

    /** What runs, if anything does. */
    public synchronized Optional<Running<A>> running() {
        return Optional.ofNullable(running);
    }

    /** What stands in the way, or an empty string. */
    public synchronized String problem() {
        if (running == null && problem.isEmpty()) {
            return "no promoted version of model " + model + " has been announced yet; the trainer does at its start";
        }
        return problem;
    }

    private void reconcileSoon() {
        if (caughtUp && !closed) {
            worker.execute(this::reconcile);
        }
    }

    private void reconcile() {
        while (true) {
            Optional<CheckpointEvent> wanted = wanted();
            if (wanted.isEmpty()) {
                return;
            }
            try {
                replace(wanted.get());
                return;
            } catch (IOException | RuntimeException | LinkageError e) {
                problem("the tokenizer of " + wanted.get().getVersion() + " cannot be had: " + e.getMessage());
                LOG.warnf("%s Tried again in %s.", problem(), retry);
            }
            try {
                TimeUnit.MILLISECONDS.sleep(retry.toMillis());
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /** The newest promoted version, where its tokenizer is not the one in use. */
    private synchronized Optional<CheckpointEvent> wanted() {
        CheckpointEvent newest = null;
        for (CheckpointEvent event : promoted.values()) {
            newest = event;
        }
        boolean inUse = newest != null
                && running != null
                && running.tokenization().fingerprint().equals(newest.getTokenizerFingerprint());
        return closed || inUse ? Optional.empty() : Optional.ofNullable(newest);
    }

    private void replace(CheckpointEvent event) throws IOException {
        Tokenization tokenization = loader.load(event);
        if (!tokenization.fingerprint().equals(event.getTokenizerFingerprint())) {
            String found = tokenization.fingerprint();
            tokenization.close();
            throw new IOException("its tokenizer.json has the fingerprint " + found + ", but the event says "
                    + event.getTokenizerFingerprint());
        }
        stop();
        LOG.infof("version=%s tokenizer=%s tokenize starts", event.getVersion(), tokenization.fingerprint());
        synchronized (this) {
            running = new Running<>(starter.apply(tokenization), tokenization, event.getVersion());
            problem = "";
        }
    }

    private void stop() {
        Optional<Running<A>> old = running();
        synchronized (this) {
            running = null;
        }
        old.ifPresent(stopping -> {
            try {
                stopping.application().close();
                stopping.tokenization().close();
                LOG.infof("version=%s tokenize stopped", stopping.version());
            } catch (Exception e) {
                // Its threads may still be in the tokenizer's native memory, which therefore stays.
                LOG.warnf("The tokenize application of %s did not stop in order: %s", stopping.version(), e);
            }
        });
    }

    private synchronized void problem(String sentence) {
        problem = sentence;
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        worker.shutdownNow();
        try {
            if (!worker.awaitTermination(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warnf("The tokenizer is still being fetched after %s.", STOP_LIMIT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stop();
    }
}
