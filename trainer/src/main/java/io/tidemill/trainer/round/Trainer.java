package io.tidemill.trainer.round;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.FencedException;
import io.tidemill.trainer.promotion.Promotions;
import io.tidemill.trainer.round.RoundTrigger.Due;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The trainer of one model: on a thread of its own it follows log and commands, starts rounds, and announces versions.
 *
 * <p>Every start, and every new attempt after a failure, begins alike: read the model's events, compare them with the
 * store, announce what was written but not announced, go on with a round that was begun. Being fenced, a store that lacks
 * the champion, a base model that cannot be used, or one that does not fit into memory ends the thread; anything else is
 * told and tried again.
 */
public final class Trainer implements AutoCloseable {
    private static final String WAITING = "waiting for new examples";

    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

    /** As long a command waits at most. */
    private static final Duration LISTEN = Duration.ofMillis(40);

    /** As often before anything else is looked at. */
    private static final int LISTENED = 3;

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(20);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);

    private final TrainerOptions options;
    private final Clock clock;
    private final Ownership owned;
    private final Announcements announcements;
    private final RoundWatch watch;
    private final Rounds rounds;
    private final CommandHandler handler;
    private final Thread thread;
    private final CountDownLatch stopping = new CountDownLatch(1);

    private volatile TrainerStatus status = TrainerStatus.STARTING;
    private int failures;

    public Trainer(TrainerOptions options, TrainerClients clients, Clock clock, LongSupplier nanoClock) {
        this(options, clients, clock, nanoClock, new Turns());
    }

    /** @param turns that all trainers of the process share */
    public Trainer(TrainerOptions options, TrainerClients clients, Clock clock, LongSupplier nanoClock, Turns turns) {
        this(options, clients, clock, nanoClock, Arithmetic.ofEngine(options.gateThreads()), turns);
    }

    Trainer(
            TrainerOptions options,
            TrainerClients clients,
            Clock clock,
            LongSupplier nanoClock,
            Arithmetic arithmetic) {
        this(options, clients, clock, nanoClock, arithmetic, new Turns());
    }

    /** @param arithmetic what the engine is asked through; tests put a want of memory there */
    Trainer(
            TrainerOptions options,
            TrainerClients clients,
            Clock clock,
            LongSupplier nanoClock,
            Arithmetic arithmetic,
            Turns turns) {
        this.options = options;
        this.clock = clock;
        this.owned = new Ownership(options, clients, clock, nanoClock);
        this.announcements = new Announcements(owned, this::publishStatus);
        this.watch = new RoundWatch(owned, turns, this::stopping);
        this.rounds = new Rounds(owned, announcements, watch, arithmetic);
        this.handler = new CommandHandler(
                owned, announcements, rounds, new RetrainCommand(owned, announcements, watch, rounds));
        this.thread = new Thread(this::run, "trainer-" + options.model());
        this.thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    public String model() {
        return options.model();
    }

    public TrainerStatus status() {
        RoundReporter current = owned.reporter();
        TrainerStatus now = status;
        return current == null
                ? now
                : new TrainerStatus(now.events(), current.newest(), now.ready(), now.failure(), now.stopped());
    }

    /** A public file of a version; empty where there is none, or before the store is open. */
    public Optional<Path> publicFile(VersionId version, String path) throws IOException {
        CheckpointStore open = owned.store();
        return open == null ? Optional.empty() : open.publicFile(version, path);
    }

    /** Stops between two steps; what was saved is resumed at the next start. */
    @Override
    public void close() {
        stopping.countDown();
        try {
            thread.join(STOP_PATIENCE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean stopping() {
        return stopping.getCount() == 0;
    }

    // ---- the thread -------------------------------------------------------------------------------------------------

    private void run() {
        try {
            while (!stopping()) {
                try {
                    attempt();
                } catch (FencedException | StoreMissingException | BaseModelException | NoMemoryException e) {
                    // What never was ready is told by whoever waits for it.
                    LOG.atLevel(status.ready() ? Level.ERROR : Level.WARN)
                            .log("model={} The trainer stops: {}", options.model(), e.getMessage());
                    fail(e, true);
                    return;
                } catch (TrainerStoppedException e) {
                    LOG.info("model={} The trainer stops; a running round goes on at the next start", options.model());
                } catch (KafkaException | IOException e) {
                    LOG.warn(
                            "model={} Trying again in {} s: {}",
                            options.model(),
                            options.retry().toSeconds(),
                            e.toString());
                    fail(e, false);
                } catch (RuntimeException e) {
                    LOG.error(
                            "model={} Trying again in {} s",
                            options.model(),
                            options.retry().toSeconds(),
                            e);
                    fail(e, false);
                } finally {
                    owned.giveBack();
                }
                if (failures > 0 && stopping.await(pauseAfterFailure().toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Error e) {
            LOG.error("model={} The trainer stops", options.model(), e);
            fail(e, true);
            throw e;
        }
    }

    private void fail(Throwable cause, boolean forGood) {
        failures++;
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        status = new TrainerStatus(status.events(), status.round(), false, Optional.of(reason), forGood);
        if (owned.reporter() != null && !(cause instanceof FencedException)) {
            try {
                owned.reporter().phase(Phase.FAILED, reason);
            } catch (FencedException e) {
                LOG.warn("model={} The failure cannot be told: {}", options.model(), e.getMessage());
            }
        }
    }

    /** Longer from failure to failure, up to 20 seconds: when what failed is over, that is how long it takes to be noticed. */
    private Duration pauseAfterFailure() {
        Duration pause = options.retry().multipliedBy(1L << Math.min(failures, 20));
        return pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
    }

    private void attempt() throws IOException {
        owned.take();
        announcements.recover();
        owned.commands().listen(() -> watch.championChanges(handler::changeChampion));
        owned.forgetting().purge(owned.erasures().all());
        publishStatus();
        owned.restartBacklog();
        for (WorkDirectory work : WorkDirectory.unfinished(options.rounds())) {
            rounds.resume(work);
        }
        failures = 0;
        while (!stopping()) {
            if (owned.commands().next().isEmpty()) {
                listen();
            }
            if (owned.takeInErasures()) {
                owned.restartBacklog(); // what waits may be less
            }
            handler.carryOutAll();
            owned.tellWaiting(Map.of());
            if (owned.lineage().undecided().isPresent()) {
                decide(owned.lineage().undecided().get());
                continue;
            }
            Optional<String> pause = owned.commands().pause();
            if (pause.isPresent()) {
                owned.reporter().idle(Phase.PAUSED, "paused: " + pause.get());
                continue;
            }
            Instant now = clock.instant();
            Optional<QuietHours> hours =
                    owned.commands().quietHours(options.trigger().quietHours());
            Optional<Instant> quiet = hours.flatMap(some -> some.until(now));
            owned.reporter().quiet(quiet);
            if (quiet.isPresent()) {
                owned.reporter().idle(Phase.WAITING, "quiet hours " + hours.get() + ": no round starts by itself");
                continue;
            }
            owned.reporter().idle(Phase.WAITING, WAITING);
            Optional<Due> due = options.trigger()
                    .due(owned.backlog().beyond(owned.lineage().frontier()), lastRound(), now)
                    .or(() -> retryIsDue().map(reason -> new Due(reason, Map.of())));
            if (due.isPresent()) {
                rounds.startRound(due.get(), Optional.empty());
            }
        }
    }

    /** Waits for a command or for something to learn, whichever comes first, but not for long. */
    private void listen() {
        boolean came = false;
        for (int i = 0; i < LISTENED && !came; i++) {
            came = owned.backlog().poll(LISTEN) || owned.commands().next().isPresent();
        }
    }

    /** A range that was refused does not wait for new examples for ever. */
    private Optional<String> retryIsDue() {
        if (owned.lineage().retries().isEmpty()) {
            return Optional.empty();
        }
        return Stream.of(VersionState.REFUSED, VersionState.ROLLED_BACK)
                .flatMap(state -> owned.lineage().newest(state).stream())
                .map(event -> Instant.ofEpochMilli(Timestamps.toMillis(event.getEventTime())))
                .max(Comparator.naturalOrder())
                .flatMap(refused -> options.trigger().retryReason(refused, clock.instant()));
    }

    /** When the newest version was made. */
    private Instant lastRound() {
        return owned.lineage().events().stream()
                .filter(event -> event.getState() == VersionState.PROMOTED || event.getState() == VersionState.REFUSED)
                .mapToLong(event -> Timestamps.toMillis(event.getEventTime()))
                .max()
                .stream()
                .mapToObj(Instant::ofEpochMilli)
                .findFirst()
                .orElse(Instant.EPOCH);
    }

    /** Rounds wait for it: the next one is to start from what is live. */
    private void decide(CheckpointEvent undecided) throws IOException {
        Optional<Promotions.Decision> decision = owned.promotions().decide(undecided);
        CheckpointEvent told = owned.promotions().withFigures(undecided);
        if (decision.isEmpty()) {
            owned.reporter().canary(told.hasCanary() ? Optional.of(told.getCanary()) : Optional.empty());
            owned.reporter()
                    .idle(
                            owned.commands().pause().isPresent() ? Phase.PAUSED : Phase.WAITING,
                            owned.promotions().told(undecided));
            return;
        }
        boolean promoted = decision.get().state() == VersionState.PROMOTED;
        announcements.announceDecision(List.of(
                announcements.again(told, decision.get().state(), decision.get().reason())));
        owned.reporter()
                .phase(
                        promoted ? Phase.PROMOTED_PHASE : Phase.REFUSED_PHASE,
                        decision.get().reason());
    }

    private void publishStatus() {
        boolean ready = owned.lineage().live().isPresent();
        status = new TrainerStatus(owned.lineage().events(), owned.reporter().newest(), ready, Optional.empty(), false);
    }
}
