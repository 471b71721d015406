package io.tidemill.feedback.serving;

import io.tidemill.feedback.answer.Engine;
import io.tidemill.feedback.answer.EngineLoader;
import io.tidemill.feedback.answer.Task;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.proto.v1.CheckpointEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Makes the served version follow the log: download, verify, load, compare with the probe, and only then swap. Whatever
 * fails on the way leaves alone what serves, and is shown. A store that cannot be reached is asked again; a version that
 * is not what was announced is not, until it is announced anew.
 *
 * <p>A canary is loaded beside it in the same way, and answers nothing where that fails. The files of the version that a
 * rollback would serve are kept, verified, so that a rollback only loads them.
 */
public final class ModelFollower implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(ModelFollower.class);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    private final VersionLedger ledger;
    private final Downloader downloader;
    private final EngineLoader loader;
    private final ServedModel served;
    private final Path directory;
    private final Clock clock;
    private final Consumer<CheckpointEvent> serves;
    private final Runnable changed;
    private final Thread thread;

    private boolean ready;
    private boolean awake;
    private boolean closed;
    private int attempts;
    private CheckpointEvent givenUp = CheckpointEvent.getDefaultInstance();
    private CheckpointEvent canaryGivenUp = CheckpointEvent.getDefaultInstance();
    private String previous = "";
    private String inStock = "";
    /** Versions whose files this process has compared with their digests. */
    private final Set<String> verified = new HashSet<>();

    private volatile Status status = Status.NOTHING;

    /** Fetches a version's files, verified, and returns their directory: {@code parent/<version>}. */
    public interface Downloader {
        Path download(CheckpointEvent event, Path parentDirectory) throws IOException;
    }

    /**
     * @param directory parent of the versions' directories; this object deletes there what it no longer needs
     * @param serves    told of each version that answers from then on
     * @param changed   told after each change of {@link #status}
     */
    public ModelFollower(
            VersionLedger ledger,
            Downloader downloader,
            EngineLoader loader,
            ServedModel served,
            Path directory,
            Clock clock,
            Consumer<CheckpointEvent> serves,
            Runnable changed) {
        this.ledger = ledger;
        this.downloader = downloader;
        this.loader = loader;
        this.served = served;
        this.directory = directory;
        this.clock = clock;
        this.serves = serves;
        this.changed = changed;
        this.thread = new Thread(this::follow, "feedback-model");
        this.thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    /** The log has been read to its end once, so that the newest promoted version is known. */
    public synchronized void ready() {
        ready = true;
        wake();
    }

    /** Something new stands in the ledger. */
    public synchronized void wake() {
        awake = true;
        notifyAll();
    }

    public Status status() {
        return status;
    }

    private void follow() {
        Duration pause = Duration.ZERO;
        while (awaitWork(pause)) {
            pause = Duration.ZERO;
            CheckpointEvent target = ledger.live().orElse(null);
            boolean nothingToDo = target == null
                    || target.equals(givenUp)
                    || served.version().filter(target.getVersion()::equals).isPresent();
            boolean settled = nothingToDo || takeOver(target);
            if (settled && settleCanary()) {
                keepForARollback();
            } else {
                pause = nextPause();
            }
        }
    }

    /** Waits until there is news, or for {@code pause} where that is not zero; false when closed. */
    private synchronized boolean awaitWork(Duration pause) {
        try {
            long until = System.nanoTime() + pause.toNanos();
            while (!closed && !(ready && awake)) {
                long left = (until - System.nanoTime()) / 1_000_000;
                if (!pause.isZero() && left <= 0) {
                    break;
                }
                wait(pause.isZero() ? 0 : left);
            }
            awake = false;
            return !closed;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private Duration nextPause() {
        attempts++;
        Duration pause = Duration.ofMillis(250L << Math.min(attempts, 7));
        return pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
    }

    /** Returns whether the matter is settled; false asks for another attempt. */
    private boolean takeOver(CheckpointEvent target) {
        String version = target.getVersion();
        String previous = served.version().orElse(target.getParent());
        status(status.loading(version));
        try {
            if (!served.promoteCanary(version) && !served.recall(version)) {
                served.swap(load(target));
            }
            serving(version, previous);
            serves.accept(target);
            attempts = 0;
            return true;
        } catch (IOException e) {
            fail(version, e);
            return false;
        } catch (ProbeCheck.Mismatch | RuntimeException | LinkageError e) {
            fail(version, e);
            givenUp = target;
            return true;
        }
    }

    private Engine load(CheckpointEvent target) throws IOException, ProbeCheck.Mismatch {
        Path files = downloader.download(target, directory);
        verified.add(target.getVersion());
        Engine engine = open(target.getVersion(), files);
        try {
            ProbeCheck.compare(engine, files, loader.tolerance());
        } catch (IOException | ProbeCheck.Mismatch | RuntimeException e) {
            engine.close();
            throw e;
        }
        return engine;
    }

    private Engine open(String version, Path files) throws IOException {
        try {
            return loader.load(version, files);
        } catch (NativeMemoryException | OutOfMemoryError e) {
            if (!served.dropStandby()) {
                throw e;
            }
            LOG.infof("version=%s needs the memory of the version on standby, which is closed", version);
            return loader.load(version, files);
        }
    }

    private void serving(String version, String previous) {
        try (ServedModel.Lease lease = served.acquire().orElseThrow()) {
            Engine engine = lease.engine();
            status(new Status(
                    Optional.of(version),
                    Optional.of(engine.task()),
                    Optional.of(clock.instant()),
                    engine.parameters(),
                    Optional.empty(),
                    Optional.empty(),
                    served.canary()));
            LOG.infof(
                    "serving=%s task=%s parameters=%d previous=%s",
                    version, engine.task().word(), engine.parameters(), previous);
        }
        this.previous = previous;
        removeOldFiles();
    }

    /** Loads the canary that should answer beside what serves, or takes away the one that should not any more. */
    private boolean settleCanary() {
        Optional<CheckpointEvent> wanted = ledger.canary()
                .filter(event ->
                        served.version().filter(event.getParent()::equals).isPresent());
        Optional<String> now = served.canary();
        if (wanted.map(CheckpointEvent::getVersion).equals(now)
                || wanted.filter(canaryGivenUp::equals).isPresent()) {
            return true;
        }
        if (now.isPresent()) {
            served.removeCanary();
            LOG.infof("canary=%s answers no more", now.get());
            status(status.canary(Optional.empty()));
        }
        return wanted.isEmpty() || addCanary(wanted.get());
    }

    private boolean addCanary(CheckpointEvent event) {
        String version = event.getVersion();
        status(status.loading(version));
        try {
            Engine engine = load(event);
            if (engine.task() != Task.ANSWER) {
                engine.close();
                throw new IllegalArgumentException(
                        "it " + engine.task().deed() + ", of which nobody rates anything, so it cannot be a canary");
            }
            served.addCanary(engine, event.getCanary().getShare());
            LOG.infof("canary=%s share=%.3f", version, event.getCanary().getShare());
            status(status.canary(Optional.of(version)));
            attempts = 0;
            return true;
        } catch (IOException e) {
            fail(version, e);
            return false;
        } catch (NativeMemoryException | OutOfMemoryError e) {
            canaryFailed(
                    event,
                    new IllegalStateException(
                            "two versions do not fit into memory at once (" + e.getMessage()
                                    + "). Give the process more memory, or take another trainer.promotion.policy",
                            e));
            return true;
        } catch (ProbeCheck.Mismatch | RuntimeException | LinkageError e) {
            canaryFailed(event, e);
            return true;
        }
    }

    private void canaryFailed(CheckpointEvent event, Throwable failure) {
        fail(event.getVersion(), failure);
        canaryGivenUp = event;
    }

    /** Nothing waits for it, so what fails here is tried again when something else changes. */
    private void keepForARollback() {
        CheckpointEvent target = ledger.afterRollback().orElse(null);
        if (target == null
                || target.getVersion().equals(inStock)
                || served.version().isEmpty()) {
            return;
        }
        try {
            boolean there = Files.isDirectory(directory.resolve(target.getVersion()));
            if (!there || verified.add(target.getVersion())) {
                downloader.download(target, directory);
            }
            inStock = target.getVersion();
            removeOldFiles();
        } catch (IOException | RuntimeException e) {
            LOG.debugf("Version %s is not kept for a rollback: %s", target.getVersion(), e.getMessage());
        }
    }

    private void fail(String version, Throwable failure) {
        String reason = failure.getMessage() == null ? failure.toString() : failure.getMessage();
        LOG.warnf(
                "Version %s is not taken over, %s goes on serving: %s",
                version, served.version().orElse("nothing"), reason);
        LOG.debug("The failure in full", failure);
        status(status.failed(new Failure(version, reason, clock.instant())));
    }

    /** One that cannot be deleted is tried again at the next swap. */
    private void removeOldFiles() {
        Set<String> kept = new HashSet<>(List.of(previous, inStock));
        served.version().ifPresent(kept::add);
        ledger.canary().map(CheckpointEvent::getVersion).ifPresent(kept::add);
        ledger.afterRollback().map(CheckpointEvent::getVersion).ifPresent(kept::add);
        try (Stream<Path> versions = Files.list(directory)) {
            for (Path version : versions.toList()) {
                if (!kept.contains(version.getFileName().toString())) {
                    delete(version);
                }
            }
        } catch (IOException e) {
            LOG.warnf("Old versions under %s stay: %s", directory, e.getMessage());
        }
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> paths = Files.walk(tree)) {
            List<Path> deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.deleteIfExists(path);
            }
        }
    }

    private void status(Status next) {
        status = next;
        changed.run();
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * What serves, and what is on its way.
     *
     * @param version    version that answers
     * @param task       what it is for
     * @param loading    version that is being fetched and loaded
     * @param failure    why the newest attempt failed; gone after a success
     * @param parameters of the version that answers
     * @param canary     version that answers a share of the conversations
     */
    public record Status(
            Optional<String> version,
            Optional<Task> task,
            Optional<Instant> since,
            long parameters,
            Optional<String> loading,
            Optional<Failure> failure,
            Optional<String> canary) {
        static final Status NOTHING = new Status(
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                0,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());

        Status loading(String next) {
            return new Status(version, task, since, parameters, Optional.of(next), failure, canary);
        }

        Status failed(Failure reason) {
            return new Status(version, task, since, parameters, Optional.empty(), Optional.of(reason), canary);
        }

        Status canary(Optional<String> beside) {
            return new Status(version, task, since, parameters, Optional.empty(), Optional.empty(), beside);
        }
    }

    /** Why a version was not taken over. */
    public record Failure(String version, String reason, Instant at) {}
}
