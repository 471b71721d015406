package io.tidemill.trainer.round;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.Model;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.SliceCopies;
import io.tidemill.trainer.gate.ScoreCache;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;

/**
 * Trains a published version once more, from its parent, its manifest and the log, and compares the weights: the proof that a
 * version is what its manifest says, and made of nothing else. It only reads the store, whose mill may run meanwhile.
 */
public final class Rebuild {
    private final CheckpointStore store;
    private final TrainerClients clients;
    private final TopicCatalogue topics;
    private final Duration patience;
    private final LongSupplier nanoClock;
    private final Path scratch;

    /**
     * @param patience how long the broker may be silent while the slice is read
     * @param scratch  directory for what it writes while it runs, and removes
     */
    public Rebuild(
            CheckpointStore store,
            TrainerClients clients,
            TopicCatalogue topics,
            Duration patience,
            LongSupplier nanoClock,
            Path scratch) {
        this.store = store;
        this.clients = clients;
        this.topics = topics;
        this.patience = patience;
        this.nanoClock = nanoClock;
        this.scratch = scratch;
    }

    /**
     * What came of it.
     *
     * @param published SHA-256 over the version's float32 weights
     * @param rebuilt   the same over the weights that were trained now
     * @param records   of the log that were read
     * @param elsewhere how the machine differs from the one that the version was made on, by which bits may differ
     */
    public record Result(
            CheckpointEvent version, String published, String rebuilt, long records, List<String> elsewhere) {
        public boolean same() {
            return published.equals(rebuilt);
        }
    }

    /**
     * Rebuilds the version.
     *
     * @param progress told about once a second, and at every change of phase
     * @throws IllegalArgumentException if it cannot be rebuilt: unknown, the base, refused, or without weights by now
     */
    public Result run(VersionId version, Consumer<RoundEvent> progress) throws IOException {
        Manifest manifest = manifest(version);
        ErasureSet erased = erased(manifest.event().getLineage().getErasuresOffset());
        refuseWhatIsErased(version, erased);
        RoundPlan plan = plan(version, manifest);
        Path rounds = Files.createTempDirectory(scratch, "tidemill-rebuild-");
        try {
            WorkDirectory work = WorkDirectory.begin(rounds, plan);
            work.record(WorkDirectory.JSON.treeToValue(manifest.origin().path("micro_batch"), MicroBatch.class));
            work.keep(Replayed.of(
                    manifest.event().getLineage().getReplayedSlicesList(),
                    Ledger.readReplayed(store.directory(version).resolve(CheckpointStore.STATE))));
            RoundReporter reporter =
                    new RoundReporter(version.model(), progress, progress, Clock.systemUTC(), nanoClock);
            RoundContext context = new RoundContext(
                    plan,
                    work,
                    work.microBatch(),
                    store,
                    reporter,
                    () -> {},
                    Arithmetic.OF_ENGINE,
                    nanoClock,
                    new TreeMap<>(),
                    new ScoreCache(rounds).answers());
            reporter.begin(plan);
            Threads.intraOp(plan.settings().threads());
            SliceReader slices = new SliceReader(clients::consumer, nanoClock, patience, new SliceCopies(store));
            SliceExamples.Read input = new SliceExamples(
                            store,
                            slices,
                            ModelShape.read(context.parent())
                                    .reader(topics, plan.settings(), new Originals(store).champion(plan))
                                    .without(erased))
                    .read(plan, work, ancestors(plan.parentId()));
            String rebuilt = ModelRound.with(context, input.examples(), new Digest());
            return new Result(
                    manifest.event(),
                    published(version),
                    rebuilt,
                    input.records().values().stream().mapToLong(Long::longValue).sum(),
                    elsewhere(manifest.origin()));
        } catch (RoundAbandonedException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        } finally {
            Durable.deleteTree(rounds);
        }
    }

    /** Of the weights that a round ends with. */
    private static final class Digest implements ModelRound.Use<String> {
        @Override
        public <M extends Model<M>, S> String of(Tokenizer tokenizer, ModelRound<M, S> round) throws IOException {
            try (M trained = round.train()) {
                return trained.digest();
            }
        }
    }

    /** What is erased by now, and what was when its round was planned. */
    private ErasureSet erased(long planned) throws IOException {
        String topic = topics.erasures().name();
        try (Admin admin = clients.admin()) {
            if (!admin.listTopics().names().get().contains(topic)) {
                return ErasureSet.none();
            }
        } catch (ExecutionException e) {
            throw new IOException("The broker does not tell its topics: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("Interrupted while the topics were asked for");
        }
        try (Erasures erasures = new Erasures(topic, clients::consumer)) {
            List<Erasure> both = new ArrayList<>(erasures.before(planned).all());
            both.addAll(erasures.all().all());
            return ErasureSet.of(both);
        }
    }

    /** Its text is not read again, not even to prove something. */
    private void refuseWhatIsErased(VersionId version, ErasureSet erased) throws IOException {
        Map<String, Long> learned = new Forgetting(store).learned(version, erased);
        if (!learned.isEmpty()) {
            throw new IllegalArgumentException(version + " has learned from what was erased since ("
                    + learned.entrySet().stream()
                            .sorted(Map.Entry.comparingByKey())
                            .map(entry -> "erasure " + entry.getKey() + ": " + entry.getValue()
                                    + (entry.getValue() == 1 ? " example" : " examples"))
                            .collect(Collectors.joining(", "))
                    + "), and that is not read again: ./tidemill erase --retrain makes the rounds again without it.");
        }
    }

    private String published(VersionId version) {
        try (Model<?> model = Model.load(store.masters(version), ComputeType.FLOAT32)) {
            return model.digest();
        }
    }

    private Manifest manifest(VersionId version) throws IOException {
        if (!store.has(version)) {
            throw new IllegalArgumentException(version + " is not in the store, which has " + store.versions() + ".");
        }
        Manifest manifest = store.manifest(version);
        if (manifest.event().getParent().isEmpty()) {
            throw new IllegalArgumentException(
                    version + " is the base of its lineage (" + manifest.base() + "): no round made it.");
        }
        if (!store.hasWeights(version)) {
            throw new IllegalArgumentException(version + " has no weights to compare with: it was refused, or"
                    + " retention took them (trainer.store.keep).");
        }
        VersionId parent = VersionId.parse(manifest.event().getParent());
        if (!store.hasWeights(parent)) {
            throw new IllegalArgumentException(version + " was made from " + parent
                    + ", whose weights are not in the store any more (trainer.store.keep).");
        }
        return manifest;
    }

    private static RoundPlan plan(VersionId version, Manifest manifest) throws IOException {
        CheckpointEvent event = manifest.event();
        return new RoundPlan(
                version.toString(),
                event.getParent(),
                "",
                event.getLineage().getSeed(),
                Slice.of(event.getLineage().getSlicesList()),
                Slice.EMPTY,
                WorkDirectory.JSON.treeToValue(manifest.settings(), RoundSettings.class),
                "to be compared with what was published",
                Clock.systemUTC().millis(),
                event.hasRetraining()
                        ? ErasurePlan.NONE.as(
                                new ErasurePlan.Again(event.getRetraining().getOf(), "", "", false))
                        : ErasurePlan.NONE);
    }

    /** The parent's line as its manifests tell it, so that no example of an ancestor counts once more. */
    private Lineage ancestors(VersionId parent) throws IOException {
        Deque<CheckpointEvent> oldestFirst = new ArrayDeque<>();
        for (String version = parent.toString(); !version.isEmpty(); ) {
            CheckpointEvent event = store.manifest(VersionId.parse(version)).event();
            oldestFirst.addFirst(event);
            version = event.getParent();
        }
        return Lineage.of(List.copyOf(oldestFirst));
    }

    private static List<String> elsewhere(JsonNode made) {
        List<String> differences = new ArrayList<>();
        JsonNode here = VersionWriter.origin();
        here.fieldNames().forEachRemaining(name -> {
            if (!here.path(name).equals(made.path(name))) {
                differences.add(name + " is " + here.path(name).asText() + " here and was "
                        + made.path(name).asText());
            }
        });
        return differences;
    }
}
