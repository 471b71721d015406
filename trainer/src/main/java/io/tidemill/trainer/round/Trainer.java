package io.tidemill.trainer.round;

import com.google.protobuf.util.Timestamps;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.model.engine.Threads;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.Announcer;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.FencedException;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.QuarantinedRecords;
import io.tidemill.trainer.checkpoint.SliceCopies;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.gate.ScoreCache;
import io.tidemill.trainer.promotion.Promotions;
import io.tidemill.trainer.reward.RewardException;
import io.tidemill.trainer.round.RoundTrigger.Due;
import io.tidemill.trainer.slice.Backlog;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceGoneException;
import io.tidemill.trainer.slice.SliceReader;
import io.tidemill.trainer.slice.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.TimestampType;
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
    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

    private static final String WAITING = "waiting for new examples";
    private static final Duration NOTE_STAYS = Duration.ofMinutes(15);
    private static final Duration POLL = Duration.ofMillis(250);

    /** A consumer's request is answered only while it is polled, so that none of the two is left alone for long. */
    private static final Duration LISTEN = Duration.ofMillis(40);

    /** As often before anything else is looked at. */
    private static final int LISTENED = 3;

    /** In the middle of a round. */
    private static final Duration COMMANDS_PACE = Duration.ofMillis(50);

    /** All that is looked at in the middle of a round: also what waits, which may be a million records. */
    private static final Duration CONTROL_PACE = Duration.ofMillis(500);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(20);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);
    private static final int ATTEMPTS = 3;
    private static final String BY_COMMAND = "asked for by a command";

    private final TrainerOptions options;
    private final TrainerClients clients;
    private final TopicCatalogue topics;
    private final Clock clock;
    private final LongSupplier nanoClock;
    private final Arithmetic arithmetic;
    private final Turns turns;
    private final LineageStart start;
    private final Thread thread;
    private final CountDownLatch stopping = new CountDownLatch(1);

    private volatile TrainerStatus status = TrainerStatus.STARTING;

    // Of the trainer's own thread, set anew by every attempt.
    private volatile CheckpointStore store;
    private Announcer announcer;
    private Producer<byte[], byte[]> progress;
    private volatile RoundReporter reporter;
    private Commands commands;
    private Erasures erasures;
    private Promotions promotions;
    private Backlog backlog;
    private Lineage lineage;
    private Map<TopicPartition, Long> roundEnds = Map.of();
    private Set<String> roundMembers = Set.of();
    private long roundErasures;
    private String note = ""; // what became of what a person asked
    private long notedNanos;
    private long lastControlNanos;
    private long lastCommandsNanos;
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
        this.clients = clients;
        this.topics = new TopicCatalogue(options.topicPrefix());
        this.clock = clock;
        this.nanoClock = nanoClock;
        this.arithmetic = arithmetic;
        this.turns = turns;
        this.start = new LineageStart(options);
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
        RoundReporter current = reporter;
        TrainerStatus now = status;
        return current == null
                ? now
                : new TrainerStatus(now.events(), current.newest(), now.ready(), now.failure(), now.stopped());
    }

    /** A public file of a version; empty where there is none, or before the store is open. */
    public Optional<Path> publicFile(VersionId version, String path) throws IOException {
        CheckpointStore open = store;
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
                    disconnect();
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
        if (reporter != null && !(cause instanceof FencedException)) {
            try {
                reporter.phase(Phase.FAILED, reason);
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
        connect();
        recover();
        forgetting().purge(erasures.all());
        publishStatus();
        restartBacklog();
        for (WorkDirectory work : WorkDirectory.unfinished(options.rounds())) {
            resume(work);
        }
        failures = 0;
        while (!stopping()) {
            listen();
            if (takeInErasures()) {
                restartBacklog(); // what waits may be less
            }
            carryOutCommands();
            tellWaiting(Map.of());
            if (lineage.undecided().isPresent()) {
                decide(lineage.undecided().get());
                continue;
            }
            if (commands.pause().isPresent()) {
                reporter.idle(Phase.PAUSED, "paused: " + commands.pause().get() + note());
                continue;
            }
            Instant now = clock.instant();
            Optional<QuietHours> hours = commands.quietHours(options.trigger().quietHours());
            Optional<Instant> quiet = hours.flatMap(some -> some.until(now));
            reporter.quiet(quiet);
            if (quiet.isPresent()) {
                reporter.idle(Phase.WAITING, "quiet hours " + hours.get() + ": no round starts by itself" + note());
                continue;
            }
            reporter.idle(Phase.WAITING, WAITING + note());
            Optional<Due> due = options.trigger()
                    .due(backlog.beyond(lineage.frontier()), lastRound(), now)
                    .or(() -> retryIsDue().map(reason -> new Due(reason, Map.of())));
            if (due.isPresent()) {
                startRound(due.get(), List.of());
            }
        }
    }

    /** Waits for a command or for something to learn, whichever comes first, but not for long. */
    private void listen() {
        boolean came = false;
        for (int i = 0; i < LISTENED && !came; i++) {
            came = commands.poll(LISTEN);
            came |= backlog.poll(LISTEN);
        }
    }

    /** A range that was refused does not wait for new examples for ever. */
    private Optional<String> retryIsDue() {
        if (lineage.retries().isEmpty()) {
            return Optional.empty();
        }
        return Stream.of(VersionState.REFUSED, VersionState.ROLLED_BACK)
                .flatMap(state -> lineage.newest(state).stream())
                .map(event -> Instant.ofEpochMilli(Timestamps.toMillis(event.getEventTime())))
                .max(Comparator.naturalOrder())
                .flatMap(refused -> options.trigger().retryReason(refused, clock.instant()));
    }

    // ---- connecting and recovering ----------------------------------------------------------------------------------

    private void connect() throws IOException {
        Files.createDirectories(options.rounds());
        store = CheckpointStore.open(options.store(), options.model());
        try (Admin admin = clients.admin()) {
            topics.ensure(
                    admin,
                    List.of(
                            topics.preferences(),
                            topics.prompts(),
                            topics.completions(),
                            topics.feedback(),
                            topics.checkpoints(),
                            topics.rounds(),
                            topics.commands(),
                            topics.erasures(),
                            topics.quarantine()),
                    options.replicationFactor());
        }
        checkStore(
                Lineage.of(readEvents())); // before the name is taken over from a trainer that may well have the store
        announcer = new Announcer(
                () -> clients.transactional(options.transactionalId()), options.transactionalId(), topics);
        announcer.open();
        progress = clients.progress();
        reporter = new RoundReporter(options.model(), this::tell, announcer::heartbeat, clock, nanoClock);
        lineage = Lineage.of(readEvents());
        commands = new Commands(
                options.model(),
                topics.commands().name(),
                options.rounds().resolve("commands.offset"),
                clients::consumer);
        erasures = new Erasures(topics.erasures().name(), clients::consumer);
        promotions = new Promotions(options.promotion(), topics, clients::consumer, clock);
    }

    private void disconnect() {
        close(commands);
        close(erasures);
        close(promotions);
        close(backlog);
        close(announcer);
        close(progress == null ? null : () -> progress.close(Duration.ofSeconds(2)));
        close(store);
        commands = null;
        erasures = null;
        promotions = null;
        backlog = null;
        announcer = null;
        progress = null;
    }

    private static void close(AutoCloseable closeable) {
        try {
            if (closeable != null) {
                closeable.close();
            }
        } catch (Exception e) {
            LOG.debug("Closing failed", e);
        }
    }

    private void tell(RoundEvent event) {
        try {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                    topics.rounds().name(), event.getModel().getBytes(StandardCharsets.UTF_8), event.toByteArray());
            record.headers().add("content-type", "application/x-protobuf".getBytes(StandardCharsets.UTF_8));
            var unusedBecauseTheNextEventSaysItAgain = progress.send(record);
        } catch (KafkaException | IllegalStateException e) {
            LOG.debug("An event of the round is lost; the next one says it again", e);
        }
    }

    /** All events of this model, oldest first. */
    private List<CheckpointEvent> readEvents() {
        List<CheckpointEvent> events = new ArrayList<>();
        slices().read(clients.whole(topics.checkpoints()), record -> {
            Reading<CheckpointEvent> reading = Readers.checkpoints().read(record.value(), record.headers());
            if (reading instanceof Reading.Accepted<CheckpointEvent> accepted
                    && accepted.message().getModel().equals(options.model())) {
                events.add(accepted.message());
            }
        });
        return events;
    }

    private SliceReader slices() {
        return new SliceReader(clients::consumer, nanoClock, options.patience(), new SliceCopies(store));
    }

    /** Makes log and store agree. */
    private void recover() throws IOException {
        for (VersionId version : store.versions()) {
            if (lineage.event(version.toString()).isEmpty()) {
                LOG.warn("{} is in the store, but was never announced; announcing it now", version);
                Manifest manifest = store.manifest(version);
                announce(manifest.announcement(store.directory(version)));
            }
        }
        if (lineage.empty()) {
            announce(start.importBase(versions()));
        }
        checkStore(lineage);
        start.checkSettings(
                store.directory(lineage.live().orElseThrow()),
                lineage.live().orElseThrow().toString());
    }

    private void checkStore(Lineage events) throws IOException {
        if (events.empty()) {
            return;
        }
        VersionId live = events.live()
                .orElseThrow(() -> new StoreMissingException(
                        "Topic " + topics.checkpoints().name() + " has events of " + options.model()
                                + ", but none that promotes a version."));
        if (!store.hasWeights(live)) {
            throw new StoreMissingException(
                    "Topic " + topics.checkpoints().name() + " says that " + live
                            + " is live, but the store " + options.store()
                            + " does not have it. Restore the store, point"
                            + " tidemill.data to it, or use another tidemill.model or tidemill.topic-prefix for a new lineage.");
        }
        start.checkBase(
                store.manifest(events.event(live.toString()).orElseThrow()).base());
    }

    /** The topic speaks of a version that this machine does not have. */
    private static final class StoreMissingException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StoreMissingException(String message) {
            super(message);
        }
    }

    private VersionWriter versions() {
        return new VersionWriter(
                store, options.filesUrl(), options.signers(), options.deltas(), options.promotion(), clock);
    }

    private void restartBacklog() throws IOException {
        close(backlog);
        Topic sequences = sequencesTopic();
        try (Admin admin = clients.admin()) {
            topics.ensure(admin, List.of(sequences), options.replicationFactor());
        }
        ExampleReader reader = exampleReader(options.round()).without(erasures.all());
        backlog = new Backlog(clients::consumer, reader::classify, options.waitingCapacity());
        Set<String> stages = shape().stages(options.round());
        List<String> read = new ArrayList<>(List.of(sequences.name()));
        if (stages.contains(Stages.PREFERENCE)) {
            read.add(topics.preferences().name());
        }
        if (stages.contains(Stages.ROLLOUT)) {
            read.add(topics.prompts().name());
        }
        backlog.restart(read, lineage.waitingFrom(), lineage::waits);
    }

    private Topic sequencesTopic() {
        CheckpointEvent live = lineage.live()
                .flatMap(version -> lineage.event(version.toString()))
                .orElseThrow();
        return topics.tokenSequences(live.getTokenizerFingerprint());
    }

    // ---- rounds -----------------------------------------------------------------------------------------------------

    /** When the newest version was made. */
    private Instant lastRound() {
        return lineage.events().stream()
                .filter(event -> event.getState() == VersionState.PROMOTED || event.getState() == VersionState.REFUSED)
                .mapToLong(event -> Timestamps.toMillis(event.getEventTime()))
                .max()
                .stream()
                .mapToObj(Instant::ofEpochMilli)
                .findFirst()
                .orElse(Instant.EPOCH);
    }

    /**
     * @param answered the command that asked for it, if one did: it is done as soon as the plan is kept
     * @return false where a command that changes the champion came first, and none was started
     */
    private boolean startRound(Due due, List<Command> answered) throws IOException {
        if (!takeTurn()) {
            return false;
        }
        try {
            startRoundNow(due, answered);
            return true;
        } finally {
            turns.end();
        }
    }

    /**
     * Waits while another model of the process trains; meanwhile the log is followed as if this one was idle.
     *
     * @return false where a command changes the champion, which must not wait for a round
     */
    private boolean takeTurn() {
        try {
            while (!turns.take(options.model(), POLL)) {
                if (stopping()) {
                    throw new TrainerStoppedException();
                }
                commands.poll(Duration.ZERO);
                purgeWhatCame();
                backlog.poll(Duration.ZERO);
                tellWaiting(Map.of());
                reporter.idle(Phase.WAITING, "waiting for its turn: " + turns.holder() + " trains");
                if (commands.changesChampion()) {
                    return false;
                }
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrainerStoppedException();
        }
    }

    private void startRoundNow(Due due, List<Command> answered) throws IOException {
        VersionId version = new VersionId(options.model(), lineage.nextRound());
        boolean again = !lineage.retries().isEmpty();
        Slice slice = again ? retry(lineage.retries().get(0)) : newSlice(due);
        RoundPlan plan = new RoundPlan(
                version.toString(),
                lineage.live().orElseThrow().toString(),
                pinned(),
                seed(version),
                slice,
                again ? slice : Slice.EMPTY,
                options.round(),
                again
                        ? "what was refused before is tried once more, split in two: " + slice + "; " + due.reason()
                        : due.reason(),
                clock.millis(),
                erasurePlan(lineage.live().orElseThrow()));
        scores().forget(plan.version()); // of a round that had the number and was given up
        WorkDirectory work = WorkDirectory.begin(options.rounds(), plan);
        if (!answered.isEmpty()) {
            commands.done();
        }
        runRound(plan, work);
        restartBacklog();
    }

    private Slice newSlice(Due due) {
        Map<TopicPartition, Long> ends = due.within(options.limits().ends(backlog.waiting(), backlog.positions()));
        return Lineage.slice(backlog.from(), ends);
    }

    /** Without what the log no longer holds, unless that is all of it: then the round says so. */
    private Slice retry(Slice refused) {
        Slice left = refused.beyond(backlog.from());
        return left.empty() ? refused : left;
    }

    private Forgetting forgetting() {
        return new Forgetting(store);
    }

    /** Reads what was asked to be forgotten, and takes it out of the store; true if something was asked. */
    private boolean takeInErasures() throws IOException {
        if (!erasures.poll(Duration.ZERO)) {
            return false;
        }
        forgetting().purge(erasures.all());
        return true;
    }

    /** All that is erased by now; told with what it concerns, where the parent did not know of it. */
    private ErasurePlan erasurePlan(VersionId parent) throws IOException {
        erasures.catchUp();
        forgetting().purge(erasures.all());
        long known = store.manifest(parent).event().getLineage().getErasuresOffset();
        return new ErasurePlan(erasures.offset(), forgetting().of(erasures.from(known)), null);
    }

    /** What the gate compares with beside the champion; empty where that is the champion. */
    private String pinned() {
        List<VersionId> ancestry = lineage.ancestry();
        String chosen = options.round().gate().pinned();
        String pinned = chosen.isEmpty() ? ancestry.get(ancestry.size() - 1).toString() : chosen;
        if (!usable(pinned)) {
            throw new IllegalStateException("trainer.gate.pinned is " + pinned
                    + ", but the store has no weights of it; name a version that has them, or leave it empty.");
        }
        return pinned.equals(ancestry.get(0).toString()) ? "" : pinned;
    }

    private long seed(VersionId version) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest((options.seed() + "/" + version).getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(hash).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }

    /** Goes on with a round that was begun, unless it is over or its champion is gone. */
    private void resume(WorkDirectory work) throws IOException {
        RoundPlan plan = work.plan();
        boolean over = lineage.event(plan.version()).isPresent();
        boolean pointless = !lineage.live().equals(Optional.of(plan.parentId()));
        if (over || pointless) {
            work.delete();
            return;
        }
        if (!takeTurn()) {
            work.delete(); // the command gives up the round anyway
            return;
        }
        try {
            LOG.info("round={} goes on after an interruption", plan.round());
            runRound(plan, work);
        } finally {
            turns.end();
        }
        restartBacklog();
    }

    private RoundRunner runner(RoundPlan plan) throws IOException {
        roundMembers = Set.of();
        roundErasures = plan.erasures().offset();
        ExampleReader reader = shape().reader(topics, plan.settings(), new Originals(store).champion(plan));
        return new RoundRunner(
                store,
                new SliceExamples(store, slices(), reader.without(erasures.before(roundErasures))),
                scores(),
                versions(),
                reporter,
                new RoundControl() {
                    @Override
                    public void check() {
                        control();
                    }

                    @Override
                    public void members(Set<String> keys) {
                        roundMembers = keys;
                        checkMembers();
                    }
                },
                arithmetic,
                nanoClock);
    }

    private void runRound(RoundPlan plan, WorkDirectory work) throws IOException {
        Threads.intraOp(plan.settings().threads()); // of this thread
        roundEnds = plan.slice().ends();
        reporter.begin(plan);
        ScoreCache scores = scores();
        RoundRunner runner = runner(plan);
        try {
            CheckpointEvent event = runOrGiveUp(runner, plan, work);
            announce(event);
            work.delete();
            failures = 0;
            tellEnd(event);
            takeInErasures();
            forgetting().purge(erasures.all()); // the newest version's suites among them
            List<String> kept = new ArrayList<>();
            lineage.ancestry().stream().limit(2).forEach(version -> kept.add(version.toString()));
            kept.add(pinned());
            lineage.undecided().ifPresent(waiting -> kept.add(waiting.getVersion()));
            scores.keepOnly(kept);
            prune();
        } catch (SliceGoneException e) {
            LOG.warn("round={} is given up: {}", plan.round(), e.getMessage());
            if (!plan.onTrialAgain().empty()) {
                announce(runner.giveUp(plan, e.getMessage())); // or it would be tried for ever
            }
            reporter.phase(Phase.FAILED, e.getMessage());
            work.delete();
        } catch (RoundAbandonedException e) {
            LOG.warn("round={} is given up: {}", plan.round(), e.getMessage());
            reporter.phase(Phase.FAILED, e.getMessage());
            work.delete();
        } catch (MemberErasedException e) {
            LOG.info("round={} begins again: {}", plan.round(), e.getMessage());
            reporter.phase(Phase.READING, e.getMessage());
            work.delete();
            startAgain(plan);
        } catch (NoMemoryException e) {
            work.delete(); // planned anew, with the settings of then, when somebody starts the trainer again
            throw e;
        }
    }

    /** Plans a round anew, if there is still something to learn. */
    private void startAgain(RoundPlan plan) throws IOException {
        restartBacklog();
        catchUp();
        if (backlog.waiting().stream().anyMatch(Waiting::trainable)) {
            startRound(new Due(plan.reason(), plan.slice().ends()), List.of());
        }
    }

    private ScoreCache scores() {
        return new ScoreCache(options.rounds().resolve("scores"));
    }

    private CheckpointEvent runOrGiveUp(RoundRunner runner, RoundPlan plan, WorkDirectory work) throws IOException {
        try {
            return runner.run(plan, work, lineage);
        } catch (KafkaException
                | FencedException
                | TrainerStoppedException
                | RoundAbandonedException
                | MemberErasedException
                | SliceGoneException
                | NoMemoryException
                | UncheckedIOException e) {
            throw e;
        } catch (NativeMemoryException e) { // of weights: it is not the records' fault
            if (work.failed() < ATTEMPTS) {
                throw e;
            }
            throw new NoMemoryException(
                    "Round " + plan.round() + " does not fit into memory: " + e.getMessage() + ", for weights, "
                            + ATTEMPTS + " times in a row. The champion " + plan.parent() + " stays, and the records"
                            + " wait. Take a smaller base model, train an adapter (trainer.adapter.rank), or give the"
                            + " process more memory, and start the trainer again.",
                    e);
        } catch (RewardException e) {
            if (e.getCause() instanceof IOException) { // who judges is away: it is not the records' fault
                throw e;
            }
            return again(runner, plan, work, e);
        } catch (RuntimeException e) {
            return again(runner, plan, work, e);
        }
    }

    /** Throws, for another attempt, or refuses the round after the last. */
    private static CheckpointEvent again(RoundRunner runner, RoundPlan plan, WorkDirectory work, RuntimeException e)
            throws IOException {
        if (work.failed() < ATTEMPTS) {
            throw e;
        }
        LOG.error("round={} is refused after {} attempts", plan.round(), ATTEMPTS, e);
        return runner.giveUp(plan, "The round failed " + ATTEMPTS + " times, last with: " + e);
    }

    private ExampleReader exampleReader(RoundSettings settings) throws IOException {
        return shape().reader(topics, settings, lineage.live().orElseThrow());
    }

    /** Of the champion. */
    private ModelShape shape() throws IOException {
        return ModelShape.read(store.directory(lineage.live().orElseThrow()));
    }

    private void tellEnd(CheckpointEvent event) {
        double accuracy = event.getVerdict().getSuitesList().stream()
                .filter(suite -> suite.getSuite().equals("preference-accuracy")
                        && suite.getAgainst().isEmpty())
                .mapToDouble(SuiteResult::getAfter)
                .findFirst()
                .orElse(0);
        Phase phase =
                switch (event.getState()) {
                    case PROMOTED -> Phase.PROMOTED_PHASE;
                    case REFUSED -> Phase.REFUSED_PHASE;
                    default -> Phase.WAITING; // for a decision
                };
        reporter.end(phase, event.getVerdict(), accuracy, event.getReason());
    }

    private void prune() throws IOException {
        List<VersionId> ancestry = lineage.ancestry();
        Set<VersionId> kept = new HashSet<>(ancestry.subList(0, Math.min(2, ancestry.size())));
        kept.add(ancestry.get(ancestry.size() - 1));
        if (usable(options.round().gate().pinned())) {
            kept.add(VersionId.parse(options.round().gate().pinned()));
        }
        lineage.undecided().ifPresent(event -> kept.add(VersionId.parse(event.getVersion())));
        Instant oldest = options.keepFor().map(clock.instant()::minus).orElse(Instant.MIN);
        store.prune(options.keep(), oldest, kept);
    }

    /** Between two steps: commands are read, a pause waits here. */
    private void control() {
        if (stopping()) {
            throw new TrainerStoppedException();
        }
        if (nanoClock.getAsLong() - lastCommandsNanos < COMMANDS_PACE.toNanos()) {
            return;
        }
        commands.poll(Duration.ZERO);
        commands.poll(Duration.ZERO); // where the first heard that there was nothing, the second asks again
        lastCommandsNanos = nanoClock.getAsLong();
        if (lastCommandsNanos - lastControlNanos >= CONTROL_PACE.toNanos()) {
            checkErasures();
            backlog.poll(Duration.ZERO);
            tellWaiting(roundEnds);
            lastControlNanos = nanoClock.getAsLong();
        }
        if (commands.changesChampion()) {
            throw new RoundAbandonedException("A command changes the champion that this round started from.");
        }
        if (commands.pause().isPresent()) {
            pause();
        }
    }

    /** In the middle of a round; others train meanwhile. */
    private void pause() {
        turns.end();
        while (commands.pause().isPresent()) {
            reporter.idle(
                    Phase.PAUSED,
                    "paused in the middle of a round: " + commands.pause().get());
            commands.poll(POLL);
            checkErasures();
            if (stopping()) {
                throw new TrainerStoppedException();
            }
        }
        if (!takeTurn()) {
            throw new RoundAbandonedException("A command changes the champion that this round started from.");
        }
    }

    private void tellWaiting(Map<TopicPartition, Long> beyond) {
        reporter.waiting(backlog.countsBeyond(beyond), backlog.topicsBeyond(beyond));
    }

    private void checkErasures() {
        purgeWhatCame();
        checkMembers();
    }

    private void purgeWhatCame() {
        try {
            takeInErasures();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Is something that the running round reads to be forgotten since it was planned? */
    private void checkMembers() {
        ErasureSet since = ErasureSet.of(erasures.from(roundErasures).stream()
                .map(Erasures.Numbered::erasure)
                .toList());
        since.concerning(roundMembers).ifPresent(erasure -> {
            throw new MemberErasedException("Erasure " + erasure.getErasureId()
                    + " concerns what this round reads: it begins again without that.");
        });
    }

    // ---- versions that passed and do not serve yet ------------------------------------------------------------------

    /** Rounds wait for it: the next one is to start from what is live. */
    private void decide(CheckpointEvent undecided) throws IOException {
        Optional<Promotions.Decision> decision = promotions.decide(undecided);
        CheckpointEvent told = promotions.withFigures(undecided);
        if (decision.isEmpty()) {
            reporter.canary(told.hasCanary() ? Optional.of(told.getCanary()) : Optional.empty());
            reporter.idle(
                    commands.pause().isPresent() ? Phase.PAUSED : Phase.WAITING, promotions.told(undecided) + note());
            return;
        }
        boolean promoted = decision.get().state() == VersionState.PROMOTED;
        announceDecision(
                List.of(again(told, decision.get().state(), decision.get().reason())));
        reporter.phase(
                promoted ? Phase.PROMOTED_PHASE : Phase.REFUSED_PHASE,
                decision.get().reason());
    }

    /** Announces what becomes of the undecided version, and what else follows from it. */
    private void announceDecision(List<CheckpointEvent> events) throws IOException {
        announce(events);
        promotions.forget();
        reporter.canary(Optional.empty());
        prune();
        restartBacklog();
    }

    /** The event that refuses the undecided version, because another one becomes live; none where there is none. */
    private List<CheckpointEvent> givenUp(String because, Command command) {
        return lineage
                .undecided()
                .map(event ->
                        again(promotions.withFigures(event), VersionState.REFUSED, "Given up: " + because, command))
                .stream()
                .toList();
    }

    // ---- announcing -------------------------------------------------------------------------------------------------

    private void announce(CheckpointEvent event) throws IOException {
        announce(List.of(event));
    }

    private void announce(List<CheckpointEvent> events) throws IOException {
        announcer.announce(events, quarantined(events));
        events.forEach(lineage::add);
        publishStatus();
        events.forEach(
                event -> LOG.info("version={} state={} {}", event.getVersion(), event.getState(), event.getReason()));
    }

    /** What is passed over from now on, with its evidence. */
    private List<Rejected> quarantined(List<CheckpointEvent> events) throws IOException {
        Quarantine quarantine = new Quarantine(slices(), clock);
        List<Rejected> records = new ArrayList<>();
        Lineage then = Lineage.of(lineage.events());
        for (CheckpointEvent event : events) {
            records.addAll(quarantine.ofRanges(then.passedOver(event), event));
            if (event.getState() == VersionState.REFUSED) {
                Path state =
                        store.directory(VersionId.parse(event.getVersion())).resolve(CheckpointStore.STATE);
                records.addAll(quarantine.ofRecords(QuarantinedRecords.read(state), event));
            }
            then.add(event);
        }
        return records;
    }

    private void publishStatus() {
        boolean ready = lineage.live().isPresent();
        status = new TrainerStatus(lineage.events(), reporter.newest(), ready, Optional.empty(), false);
    }

    // ---- commands ---------------------------------------------------------------------------------------------------

    private void carryOutCommands() throws IOException {
        for (Optional<Command> next = commands.next(); next.isPresent(); next = commands.next()) {
            Command command = next.get();
            long position = commands.position();
            boolean before = lineage.events().stream()
                    .anyMatch(event -> !command.getCommandId().isEmpty()
                            && event.getReason().contains(tag(command)));
            if (!before) {
                carryOut(command);
            }
            if (commands.position() == position) {
                commands.done();
            }
        }
    }

    private static String tag(Command command) {
        return "(command " + command.getCommandId() + ")";
    }

    private void carryOut(Command command) throws IOException {
        switch (command.getKindCase()) {
            case START_ROUND -> startOnCommand(command);
            case PROMOTE -> makeLive(command, command.getPromote().getVersion(), "promoted by hand");
            case ROLLBACK -> rollBack(command);
            case RELEASE -> release(command.getRelease().getVersion());
            case RETRAIN -> retrainInTurn(command);
            default -> {}
        }
    }

    /** What was refused before is tried first, then what is new; the command is done when that has begun. */
    private void startOnCommand(Command command) throws IOException {
        if (lineage.undecided().isPresent()) {
            reporter.phase(
                    Phase.WAITING,
                    "a round was asked for, but "
                            + promotions.told(lineage.undecided().get()));
            return;
        }
        catchUp();
        boolean tried = !lineage.retries().isEmpty();
        for (int left = -1;
                left != lineage.retries().size()
                        && !lineage.retries().isEmpty()
                        && lineage.undecided().isEmpty();
                catchUp()) {
            left = lineage.retries().size();
            if (!startRound(new Due(BY_COMMAND, Map.of()), List.of())) {
                tellOvertaken();
                return;
            }
        }
        List<String> stages = command.getStartRound().getStagesList();
        List<Waiting> fresh = backlog.beyond(lineage.frontier());
        Due due = stages.isEmpty()
                ? new Due(BY_COMMAND, Map.of())
                : Due.forStages(BY_COMMAND + ", for " + stages, stages, fresh);
        if (lineage.retries().isEmpty() && lineage.undecided().isEmpty() && due.hasWork(fresh)) {
            if (!startRound(due, List.of(command))) {
                tellOvertaken();
            }
        } else if (!tried) {
            reporter.phase(
                    Phase.WAITING,
                    "a round was asked for, but there is nothing new to train on"
                            + (stages.isEmpty() ? "" : " for " + stages + " before what waits for other stages"));
        }
    }

    private void tellOvertaken() {
        reporter.phase(
                Phase.WAITING,
                "a round was asked for, but another command changes the champion first; ask again after it");
    }

    private void catchUp() {
        while (!backlog.caughtUp()) {
            backlog.poll(POLL);
        }
    }

    private void retrainInTurn(Command command) throws IOException {
        if (!takeTurn()) {
            retrained(command, "not done: another command changes the champion; ask again after it");
            return;
        }
        try {
            retrain(command);
        } finally {
            turns.end();
        }
    }

    /**
     * Makes the rounds of the live line again, from the last version that has learned nothing of what is erased, and lets the
     * gate judge the result. Interrupted, it goes on with what it had made.
     */
    private void retrain(Command command) throws IOException {
        erasures.catchUp(); // what was erased before the command was given
        forgetting().purge(erasures.all());
        Retraining retraining = new Retraining(store, lineage, erasures.all());
        String id = command.getCommandId();
        List<VersionId> line = retraining.line();
        if (line.isEmpty()) {
            retrained(
                    command,
                    "nothing to train again: " + retraining.nothingToDo() + giveUpKnowing(retraining, command));
            return;
        }
        String champion = lineage.live().orElseThrow().toString();
        VersionId parent = line.get(0);
        for (VersionId of : line.subList(1, line.size())) {
            Optional<VersionId> made = retraining.made(id, of, parent);
            if (made.isPresent()) {
                parent = made.get();
                continue;
            }
            boolean last = of.equals(line.get(line.size() - 1));
            ErasurePlan.Again again = new ErasurePlan.Again(
                    of.toString(),
                    id,
                    last ? champion : "",
                    command.getRetrain().getForce());
            Optional<CheckpointEvent> event;
            try {
                event = trainAgain(again, parent, command);
            } catch (MemberErasedException e) {
                LOG.info("{} is begun anew: {}", of, e.getMessage());
                retrain(command);
                return;
            }
            if (event.isEmpty() || event.get().getState() == VersionState.REFUSED) {
                retrained(command, "not done: " + reporter.newest().getMessage());
                return;
            }
            parent = VersionId.parse(event.get().getVersion());
        }
        CheckpointEvent last = lineage.event(parent.toString()).orElseThrow();
        boolean live = lineage.live().equals(Optional.of(parent));
        String done = parent + " is live. " + last.getRetraining().getOf() + " made again without what is erased"
                + (last.getVerdict().getPassed() ? "." : ", by force: its gate did not pass it.");
        retrained(command, live ? "done: " + done : "not done: " + last.getReason());
        prune();
        restartBacklog();
    }

    /** What is still undecided would bring it back; says so. */
    private String giveUpKnowing(Retraining retraining, Command command) throws IOException {
        Optional<CheckpointEvent> undecided = lineage.undecided();
        if (undecided.isEmpty()
                || !retraining.learned(VersionId.parse(undecided.get().getVersion()))) {
            return "";
        }
        announceDecision(givenUp("it has learned from what is erased.", command));
        return "; " + undecided.get().getVersion() + ", which waited for a decision and had, is given up";
    }

    /** Told between rounds for a while, so that whoever asked hears of it, also where a round follows at once. */
    private void retrained(Command command, String outcome) {
        note = "; retraining " + tag(command) + ' ' + outcome;
        notedNanos = nanoClock.getAsLong();
        reporter.phase(Phase.WAITING, WAITING + note);
    }

    private String note() {
        return nanoClock.getAsLong() - notedNanos < NOTE_STAYS.toNanos() ? note : "";
    }

    /** One version of the line; empty where it was given up, which is told. */
    private Optional<CheckpointEvent> trainAgain(ErasurePlan.Again again, VersionId parent, Command command)
            throws IOException {
        VersionId version = new VersionId(options.model(), lineage.nextRound());
        Manifest manifest = store.manifest(VersionId.parse(again.of()));
        RoundPlan plan = new RoundPlan(
                version.toString(),
                parent.toString(),
                "",
                manifest.event().getLineage().getSeed(),
                Slice.of(manifest.event().getLineage().getSlicesList()),
                Slice.EMPTY,
                WorkDirectory.JSON.treeToValue(manifest.settings(), RoundSettings.class),
                "made again from the slice of " + again.of() + ", without what is erased",
                clock.millis(),
                erasurePlan(parent).as(again));
        roundEnds = lineage.frontier();
        scores().forget(plan.version());
        WorkDirectory work = WorkDirectory.begin(options.rounds(), plan);
        work.record(WorkDirectory.JSON.treeToValue(manifest.origin().path("micro_batch"), MicroBatch.class));
        reporter.begin(plan);
        try {
            CheckpointEvent event = runOrGiveUp(runner(plan), plan, work);
            if (event.getState() == VersionState.PROMOTED) {
                List<CheckpointEvent> events =
                        new ArrayList<>(givenUp("its line is trained again without what is erased.", command));
                events.add(event);
                announceDecision(events);
            } else {
                announce(event);
            }
            tellEnd(event);
            work.delete();
            forgetting().purge(erasures.all());
            return Optional.of(event);
        } catch (MemberErasedException e) {
            work.delete();
            throw e;
        } catch (RoundAbandonedException | SliceGoneException e) {
            work.delete();
            LOG.warn("{} is not made again: {}", again.of(), e.getMessage());
            reporter.phase(Phase.FAILED, again.of() + " cannot be made again: " + e.getMessage());
            return Optional.empty();
        }
    }

    private void rollBack(Command command) throws IOException {
        CheckpointEvent live =
                lineage.event(lineage.live().orElseThrow().toString()).orElseThrow();
        String target = command.getRollback().getVersion().isEmpty()
                ? live.getParent()
                : command.getRollback().getVersion();
        Optional<CheckpointEvent> undecided =
                lineage.undecided().filter(event -> event.getVersion().equals(target));
        if (undecided.isPresent()) {
            announceDecision(List.of(again(
                    promotions.withFigures(undecided.get()),
                    VersionState.REFUSED,
                    "Declined by hand: " + command.getRollback().getReason(),
                    command)));
            return;
        }
        if (target.isEmpty() || target.equals(live.getVersion()) || !usable(target)) {
            reporter.phase(
                    Phase.WAITING,
                    "cannot roll back from " + live.getVersion() + " to '" + target
                            + "': its weights are not in the store");
            return;
        }
        List<CheckpointEvent> events =
                new ArrayList<>(givenUp("the version that it was trained from is rolled back.", command));
        events.add(again(
                live,
                VersionState.ROLLED_BACK,
                "Rolled back: " + command.getRollback().getReason(),
                command));
        if (!target.equals(live.getParent()) || !wasLive(target)) {
            events.add(again(
                    lineage.event(target).orElseThrow(),
                    VersionState.PROMOTED,
                    "Live again after a rollback",
                    command));
        }
        announceDecision(events);
    }

    /** A parent that was made on the way to its child never was, and whoever follows the events does not take it for such. */
    private boolean wasLive(String version) {
        return lineage.events().stream()
                .anyMatch(event -> event.getVersion().equals(version) && event.getState() == VersionState.PROMOTED);
    }

    private void makeLive(Command command, String version, String reason) throws IOException {
        if (!usable(version) || lineage.live().map(VersionId::toString).equals(Optional.of(version))) {
            reporter.phase(
                    Phase.WAITING,
                    "cannot promote '" + version + "': it is live already, or its weights are not in the store");
            return;
        }
        CheckpointEvent promoted = promotions.withFigures(lineage.event(version).orElseThrow());
        List<CheckpointEvent> events = new ArrayList<>();
        if (lineage.undecided()
                .filter(event -> event.getVersion().equals(version))
                .isEmpty()) {
            events.addAll(givenUp(version + " is promoted by hand.", command));
        }
        events.add(again(promoted, VersionState.PROMOTED, reason, command));
        announceDecision(events);
    }

    /** Quarantined records wait again, as new ones; one that has been trained since is a repeat. */
    private void release(String version) throws IOException {
        erasures.catchUp();
        ExampleReader reader = exampleReader(options.round()).without(erasures.all());
        List<ProducerRecord<byte[], byte[]>> records = new Quarantine(slices(), clock)
                .release(clients.whole(topics.quarantine()), version).stream()
                        .filter(record -> !isErased(record, reader))
                        .toList();
        if (records.isEmpty()) {
            reporter.phase(Phase.WAITING, "cannot release '" + version + "': it has no records in the quarantine");
            return;
        }
        announcer.write(records);
        reporter.phase(Phase.WAITING, records.size() + " records that " + version + " sent to quarantine wait again");
    }

    private static boolean isErased(ProducerRecord<byte[], byte[]> record, ExampleReader reader) {
        return reader.read(new ConsumerRecord<>(
                        record.topic(),
                        0,
                        0,
                        ConsumerRecord.NO_TIMESTAMP,
                        TimestampType.NO_TIMESTAMP_TYPE,
                        ConsumerRecord.NULL_SIZE,
                        ConsumerRecord.NULL_SIZE,
                        record.key(),
                        record.value(),
                        record.headers(),
                        Optional.empty()))
                .stage()
                .equals(Stages.ERASED);
    }

    private boolean usable(String version) {
        try {
            return lineage.event(version).isPresent() && store.hasWeights(VersionId.parse(version));
        } catch (IllegalArgumentException notAVersion) {
            return false;
        }
    }

    private CheckpointEvent again(CheckpointEvent event, VersionState state, String reason, Command command) {
        return again(event, state, reason + " " + tag(command));
    }

    private CheckpointEvent again(CheckpointEvent event, VersionState state, String reason) {
        return event.toBuilder()
                .setState(state)
                .setReason(reason)
                .setEventTime(Timestamps.fromMillis(clock.millis()))
                .build();
    }
}
