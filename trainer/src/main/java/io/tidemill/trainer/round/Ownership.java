package io.tidemill.trainer.round;

import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.trainer.checkpoint.Announcer;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.checkpoint.SliceCopies;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.promotion.Promotions;
import io.tidemill.trainer.slice.Backlog;
import io.tidemill.trainer.slice.SliceReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a trainer holds while it owns a model's name: the store, the log's readers and writers, and where the lineage stands. Taken
 * anew by every attempt; whoever owned the name before is fenced. For the trainer's own thread, and in the middle of a
 * round for the one that hears commands, see {@link RoundWatch#championChanges}. {@link #store} and {@link #reporter} outlive an attempt, are for
 * every thread, and empty before the first.
 */
final class Ownership {
    private static final Logger LOG = LoggerFactory.getLogger(Ownership.class);

    static final Duration POLL = Duration.ofMillis(250);

    private final TrainerOptions options;
    private final TrainerClients clients;
    private final TopicCatalogue topics;
    private final LineageStart start;
    private final Clock clock;
    private final LongSupplier nanoClock;

    private volatile CheckpointStore store;
    private volatile RoundReporter reporter;
    private Announcer announcer;
    private Producer<byte[], byte[]> progress;
    private Commands commands;
    private Erasures erasures;
    private Promotions promotions;
    private Backlog backlog;
    private Lineage lineage;

    Ownership(TrainerOptions options, TrainerClients clients, Clock clock, LongSupplier nanoClock) {
        this.options = options;
        this.clients = clients;
        this.topics = new TopicCatalogue(options.topicPrefix());
        this.start = new LineageStart(options);
        this.clock = clock;
        this.nanoClock = nanoClock;
    }

    /**
     * Opens the store, takes the name over, and reads what was said of the model so far.
     *
     * @throws StoreMissingException before anybody is fenced, if the store is not the lineage's
     */
    void take() throws IOException {
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

    /** Closes all that is open; also after half a {@link #take}. */
    void giveBack() {
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

    SliceReader slices() {
        return new SliceReader(clients::consumer, nanoClock, options.patience(), new SliceCopies(store));
    }

    /** @throws StoreMissingException if the store has not the weights of what is live */
    void checkStore(Lineage events) throws IOException {
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

    VersionWriter versions() {
        return new VersionWriter(
                store, options.filesUrl(), options.signers(), options.deltas(), options.promotion(), clock);
    }

    /** Reads anew what waits beyond the lineage's position. */
    void restartBacklog() throws IOException {
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

    /** Until the backlog has all that was committed. */
    void catchUp() {
        while (!backlog.caughtUp()) {
            backlog.poll(POLL);
        }
    }

    private Topic sequencesTopic() {
        CheckpointEvent live = lineage.live()
                .flatMap(version -> lineage.event(version.toString()))
                .orElseThrow();
        return topics.tokenSequences(live.getTokenizerFingerprint());
    }

    ExampleReader exampleReader(RoundSettings settings) throws IOException {
        return shape().reader(topics, settings, lineage.live().orElseThrow());
    }

    /** Of the champion. */
    ModelShape shape() throws IOException {
        return ModelShape.read(store.directory(lineage.live().orElseThrow()));
    }

    void tellWaiting(Map<TopicPartition, Long> beyond) {
        reporter.waiting(backlog.countsBeyond(beyond), backlog.topicsBeyond(beyond));
    }

    Forgetting forgetting() {
        return new Forgetting(store);
    }

    /** Reads what was asked to be forgotten, and takes it out of the store; true if something was asked. */
    boolean takeInErasures() throws IOException {
        if (!erasures.poll(Duration.ZERO)) {
            return false;
        }
        forgetting().purge(erasures.all());
        return true;
    }

    void purgeWhatCame() {
        try {
            takeInErasures();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Is it a version that was announced and whose weights are here? */
    boolean usable(String version) {
        try {
            return lineage.event(version).isPresent() && store.hasWeights(VersionId.parse(version));
        } catch (IllegalArgumentException notAVersion) {
            return false;
        }
    }

    // ---- what it holds ----------------------------------------------------------------------------------------------

    TrainerOptions options() {
        return options;
    }

    TrainerClients clients() {
        return clients;
    }

    TopicCatalogue topics() {
        return topics;
    }

    LineageStart start() {
        return start;
    }

    Clock clock() {
        return clock;
    }

    LongSupplier nanoClock() {
        return nanoClock;
    }

    CheckpointStore store() {
        return store;
    }

    Announcer announcer() {
        return announcer;
    }

    RoundReporter reporter() {
        return reporter;
    }

    Commands commands() {
        return commands;
    }

    Erasures erasures() {
        return erasures;
    }

    Promotions promotions() {
        return promotions;
    }

    Backlog backlog() {
        return backlog;
    }

    Lineage lineage() {
        return lineage;
    }
}
