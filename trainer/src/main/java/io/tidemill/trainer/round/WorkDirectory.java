package io.tidemill.trainer.round;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.tidemill.model.engine.Learner;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.trainer.checkpoint.DamagedFileException;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.Sealed;
import io.tidemill.trainer.optimizer.Curve;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.StageState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a running round keeps on disk: {@code plan.json}, which older examples it learns once more ({@code replay.json}), the state after the last saved step and which step that was
 * ({@code position.json}), the reference's log-probabilities, and with which micro-batch it runs where memory made that
 * smaller than the settings say ({@code micro-batch.json}). What was made with another micro-batch does not count.
 *
 * <p>A state is written under a new name and flushed before {@code position.json} is replaced to name it. Every file has a
 * digest, in itself or in the one that names it: one that is not as it was written does not count, and what it held is
 * computed again, at worst from the champion on. A damaged plan, or choice of what is learned once more, is none: the records wait for the
 * next one.
 */
final class WorkDirectory implements StageState {
    private static final Logger LOG = LoggerFactory.getLogger(WorkDirectory.class);
    private static final String PLAN = "plan.json";
    private static final String POSITION = "position.json";
    private static final String MICRO_BATCH = "micro-batch.json";
    private static final String REPLAY = "replay.json";
    private static final String FAILURES = "failures";
    private static final String GIVEN_UP = "given-up";

    static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .addModule(new SimpleModule().addDeserializer(Curve.class, new DecayByName()))
            .build();

    /** Rounds know the schedules that have no parameters. */
    private static final class DecayByName extends StdDeserializer<Curve> {
        private static final long serialVersionUID = 1L;

        DecayByName() {
            super(Curve.class);
        }

        @Override
        public Curve deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            return context.readValue(parser, Decay.class);
        }
    }

    /**
     * The last saved step.
     *
     * @param microBatch it was made with; null in a file of an older program, which knew but one
     * @param memory     what the stage keeps beside the weights; null in a file of an older program, whose stages kept nothing
     * @param sha256     of the file
     */
    private record Position(
            String stage, long step, String file, MicroBatch microBatch, Map<String, Double> memory, String sha256) {
        Position {
            memory = memory == null ? Map.of() : memory;
        }
    }

    private final Path directory;

    /** What {@code position.json} says, once its file was found to be whole, or was written. */
    private volatile Optional<Position> checked = Optional.empty();

    /** Fails if the state could not be kept. */
    private CompletableFuture<Void> saving = CompletableFuture.completedFuture(null);

    private WorkDirectory(Path directory) {
        this.directory = directory;
    }

    /** Freezes a plan. */
    static WorkDirectory begin(Path rounds, RoundPlan plan) throws IOException {
        WorkDirectory work = new WorkDirectory(rounds.resolve(plan.version()));
        Durable.createDirectories(work.directory);
        Sealed.write(
                work.directory.resolve(PLAN),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsString(plan) + "\n");
        return work;
    }

    /** Rounds that were begun and not finished, oldest first; those that were given up, or whose plan is damaged, are deleted. */
    static List<WorkDirectory> unfinished(Path rounds) throws IOException {
        if (!Files.isDirectory(rounds)) {
            return List.of();
        }
        List<WorkDirectory> found = new ArrayList<>();
        try (Stream<Path> paths = Files.list(rounds)) {
            for (Path path : paths.sorted().toList()) {
                WorkDirectory work = new WorkDirectory(path);
                if (Files.exists(path.resolve(PLAN)) && work.planned()) {
                    found.add(work);
                }
            }
        }
        return found;
    }

    private boolean planned() throws IOException {
        if (Files.exists(directory.resolve(GIVEN_UP))) {
            delete();
            return false;
        }
        try {
            plan();
            replayed();
            return true;
        } catch (DamagedFileException e) {
            LOG.warn("{} The round is planned anew.", e.getMessage());
            delete();
            return false;
        }
    }

    Path path() {
        return directory;
    }

    RoundPlan plan() throws IOException {
        Path file = directory.resolve(PLAN);
        byte[] plan = Sealed.read(file).orElseThrow(() -> new NoSuchFileException(file.toString()));
        return JSON.readValue(plan, RoundPlan.class);
    }

    VersionId version() {
        return VersionId.parse(directory.getFileName().toString());
    }

    /** Counts one more failure since the last saved state that was not the broker's or the disk's. */
    int failed() throws IOException {
        Path file = directory.resolve(FAILURES);
        int failures = 1
                + Sealed.readOrForget(file)
                        .map(bytes -> Integer.parseInt(new String(bytes, StandardCharsets.US_ASCII).strip()))
                        .orElse(0);
        Sealed.write(file, failures + "\n");
        return failures;
    }

    /** The round does not go on after a restart; whoever runs it may still read and write here. */
    void giveUp() throws IOException {
        Sealed.write(directory.resolve(GIVEN_UP), "");
    }

    /** The round is over, one way or the other. */
    void delete() throws IOException {
        Files.deleteIfExists(directory.resolve(PLAN)); // first: without it the rest is no round
        Durable.deleteTree(directory);
    }

    // ---- micro-batch ------------------------------------------------------------------------------------------------

    /** What the round runs with: as the settings have it, or smaller as recorded. */
    MicroBatch microBatch() throws IOException {
        Optional<byte[]> recorded = Sealed.readOrForget(directory.resolve(MICRO_BATCH));
        return recorded.isPresent()
                ? JSON.readValue(recorded.get(), MicroBatch.class)
                : MicroBatch.of(plan().settings());
    }

    /** From now on, whatever is interrupted, the round runs with that; states of another no longer count. */
    void record(MicroBatch microBatch) throws IOException {
        Durable.deleteTree(directory.resolve(RoundRewardModel.NAME));
        Sealed.write(directory.resolve(MICRO_BATCH), JSON.writeValueAsString(microBatch) + "\n");
    }

    // ---- replay -----------------------------------------------------------------------------------------------------

    /** What the round learns once more, if that was chosen before; a damaged choice is made anew, and is the same. */
    Optional<Replayed> replayed() throws IOException {
        Optional<byte[]> kept = Sealed.readOrForget(directory.resolve(REPLAY));
        return kept.isPresent() ? Optional.of(JSON.readValue(kept.get(), Replayed.class)) : Optional.empty();
    }

    void keep(Replayed replayed) throws IOException {
        Sealed.write(directory.resolve(REPLAY), JSON.writeValueAsString(replayed) + "\n");
    }

    // ---- stages -----------------------------------------------------------------------------------------------------

    private Optional<Position> position() {
        try {
            if (checked.isEmpty()) {
                Optional<byte[]> kept = Sealed.readOrForget(directory.resolve(POSITION));
                if (kept.isPresent()) {
                    checked = Optional.of(JSON.readValue(kept.get(), Position.class))
                            .filter(this::isWhole);
                    if (checked.isEmpty()) {
                        forgetState();
                    }
                }
            }
            return checked.filter(this::counts);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot read " + directory.resolve(POSITION) + "; delete " + directory + " to start the round anew",
                    e);
        }
    }

    /** Is the state still what was saved? */
    private boolean isWhole(Position position) {
        String flaw;
        try {
            String found = digest(position.file);
            if (found.equals(position.sha256)) {
                return true;
            }
            flaw = "it has SHA-256 " + found + " instead of " + position.sha256;
        } catch (IOException e) {
            flaw = e.toString();
        }
        LOG.warn(
                "The state of step {} of stage {} in {} cannot be used: {}. The round begins again from the champion.",
                position.step,
                position.stage,
                directory.resolve(position.file),
                flaw);
        return false;
    }

    private String digest(String file) throws IOException {
        return FileDigests.of(directory, directory.resolve(file)).getSha256();
    }

    /** The saved state cannot be gone on from: the round begins again from the champion. */
    void forgetState() throws IOException {
        checked = Optional.empty();
        Files.deleteIfExists(directory.resolve(POSITION));
    }

    private boolean counts(Position position) {
        try {
            MicroBatch made = position.microBatch == null ? MicroBatch.of(plan().settings()) : position.microBatch;
            return made.ofWeights().equals(microBatch().ofWeights());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The stage that was running, or had just ended, when the last state was saved. */
    Optional<String> stage() {
        return position().map(Position::stage);
    }

    @Override
    public Saved resume(String stage, Learner learner) {
        Optional<Position> position = position().filter(saved -> saved.stage.equals(stage));
        position.ifPresent(saved -> learner.loadState(directory.resolve(saved.file)));
        return position.map(saved -> new Saved(saved.step, saved.memory)).orElse(Saved.NONE);
    }

    @Override
    public void save(String stage, long step, Map<String, Double> memory, Learner learner) {
        settle();
        Optional<Position> before = position();
        String file = "state-" + stage + "-" + step + ".safetensors";
        try {
            MicroBatch microBatch = microBatch();
            saving = learner.saveStateBehind(directory.resolve(file))
                    .thenAccept(sha256 -> name(stage, step, file, sha256, microBatch, memory, before));
        } catch (IOException e) {
            throw cannotKeep(stage, step, e);
        }
    }

    /** From then on the state is the one to go on from. */
    private void name(
            String stage,
            long step,
            String file,
            String sha256,
            MicroBatch microBatch,
            Map<String, Double> memory,
            Optional<Position> before) {
        try {
            Durable.flushDirectory(directory);
            Position now = new Position(stage, step, file, microBatch, memory, sha256);
            Sealed.write(directory.resolve(POSITION), JSON.writeValueAsString(now) + "\n");
            checked = Optional.of(now);
            Files.deleteIfExists(directory.resolve(FAILURES)); // the round gets on
            if (before.isPresent() && !before.get().file.equals(now.file)) {
                Files.deleteIfExists(directory.resolve(before.get().file));
            }
        } catch (IOException e) {
            throw cannotKeep(stage, step, e);
        }
    }

    private UncheckedIOException cannotKeep(String stage, long step, IOException e) {
        return new UncheckedIOException(
                "Cannot keep the state of step " + step + " of stage " + stage + " in " + directory + ": "
                        + e.getMessage(),
                e);
    }

    @Override
    public void settle() {
        CompletableFuture<Void> last = saving;
        saving = CompletableFuture.completedFuture(null);
        try {
            last.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    // ---- reference --------------------------------------------------------------------------------------------------

    /** The reference's log-probabilities of that name, if they were computed before: of each text those of its answers. */
    Optional<List<double[]>> references(String name, int texts) throws IOException {
        Optional<byte[]> kept = Sealed.readOrForget(referencesFile(name));
        if (kept.isEmpty()) {
            return Optional.empty();
        }
        List<double[]> references = new String(kept.get(), StandardCharsets.US_ASCII)
                .lines()
                .map(line -> Stream.of(line.split("\t"))
                        .mapToDouble(Double::parseDouble)
                        .toArray())
                .toList();
        return Optional.of(references).filter(found -> found.size() == texts);
    }

    /** How many tokens are scored at once decides the last bits. */
    private Path referencesFile(String name) throws IOException {
        return directory.resolve("references-" + name + "-" + microBatch().referenceTokens() + ".tsv");
    }

    void keepReferences(String name, List<double[]> references) throws IOException {
        StringBuilder text = new StringBuilder();
        for (double[] answers : references) {
            text.append(DoubleStream.of(answers).mapToObj(Double::toString).collect(Collectors.joining("\t")))
                    .append('\n');
        }
        Sealed.write(referencesFile(name), text.toString());
    }
}
