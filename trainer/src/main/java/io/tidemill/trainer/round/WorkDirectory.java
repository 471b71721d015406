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
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.optimizer.Curve;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.StageState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * What a running round keeps on disk: {@code plan.json}, which older examples it learns once more ({@code replay.json}), the state after the last saved step and which step that was
 * ({@code position.json}), the reference's log-probabilities, and with which micro-batch it runs where memory made that
 * smaller than the settings say ({@code micro-batch.json}). What was made with another micro-batch does not count.
 *
 * <p>A state is written under a new name and flushed before {@code position.json} is replaced to name it.
 */
final class WorkDirectory implements StageState {
    private static final String PLAN = "plan.json";
    private static final String POSITION = "position.json";
    private static final String MICRO_BATCH = "micro-batch.json";
    private static final String REPLAY = "replay.json";
    private static final String FAILURES = "failures";

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
     */
    private record Position(String stage, long step, String file, MicroBatch microBatch, Map<String, Double> memory) {
        Position {
            memory = memory == null ? Map.of() : memory;
        }
    }

    private final Path directory;

    private WorkDirectory(Path directory) {
        this.directory = directory;
    }

    /** Freezes a plan. */
    static WorkDirectory begin(Path rounds, RoundPlan plan) throws IOException {
        WorkDirectory work = new WorkDirectory(rounds.resolve(plan.version()));
        Files.createDirectories(work.directory);
        Durable.flushDirectory(rounds);
        Durable.write(
                work.directory.resolve(PLAN),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(plan));
        return work;
    }

    /** Plans that were begun and not finished, oldest first. */
    static List<WorkDirectory> unfinished(Path rounds) throws IOException {
        if (!Files.isDirectory(rounds)) {
            return List.of();
        }
        List<WorkDirectory> found = new ArrayList<>();
        try (Stream<Path> paths = Files.list(rounds)) {
            for (Path path : paths.sorted().toList()) {
                if (Files.exists(path.resolve(PLAN))) {
                    found.add(new WorkDirectory(path));
                }
            }
        }
        return found;
    }

    Path path() {
        return directory;
    }

    RoundPlan plan() throws IOException {
        return JSON.readValue(directory.resolve(PLAN).toFile(), RoundPlan.class);
    }

    VersionId version() {
        return VersionId.parse(directory.getFileName().toString());
    }

    /** Counts one more failure since the last saved state that was not the broker's or the disk's. */
    int failed() throws IOException {
        Path file = directory.resolve(FAILURES);
        int failures = 1
                + (Files.exists(file) ? Integer.parseInt(Files.readString(file).strip()) : 0);
        Durable.write(file, Integer.toString(failures));
        return failures;
    }

    /** The round is over, one way or the other. */
    void delete() throws IOException {
        Files.deleteIfExists(directory.resolve(PLAN)); // first: without it the rest is no round
        Durable.deleteTree(directory);
    }

    // ---- micro-batch ------------------------------------------------------------------------------------------------

    /** What the round runs with: as the settings have it, or smaller as recorded. */
    MicroBatch microBatch() throws IOException {
        Path file = directory.resolve(MICRO_BATCH);
        return Files.exists(file) ? JSON.readValue(file.toFile(), MicroBatch.class) : MicroBatch.of(plan().settings());
    }

    /** From now on, whatever is interrupted, the round runs with that; states of another no longer count. */
    void record(MicroBatch microBatch) throws IOException {
        Durable.deleteTree(directory.resolve(RoundRewardModel.NAME));
        Durable.write(directory.resolve(MICRO_BATCH), JSON.writeValueAsBytes(microBatch));
    }

    // ---- replay -----------------------------------------------------------------------------------------------------

    /** What the round learns once more, if that was chosen before. */
    Optional<Replayed> replayed() throws IOException {
        Path file = directory.resolve(REPLAY);
        return Files.exists(file) ? Optional.of(JSON.readValue(file.toFile(), Replayed.class)) : Optional.empty();
    }

    void keep(Replayed replayed) throws IOException {
        Durable.write(directory.resolve(REPLAY), JSON.writeValueAsBytes(replayed));
    }

    // ---- stages -----------------------------------------------------------------------------------------------------

    private Optional<Position> position() {
        Path file = directory.resolve(POSITION);
        try {
            return Files.exists(file)
                    ? Optional.of(JSON.readValue(file.toFile(), Position.class)).filter(this::counts)
                    : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot read " + file + "; delete " + directory + " to start the round anew", e);
        }
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
        Optional<Position> before = position();
        try {
            Position now =
                    new Position(stage, step, "state-" + stage + "-" + step + ".safetensors", microBatch(), memory);
            learner.saveState(directory.resolve(now.file));
            Durable.flushDirectory(directory);
            Durable.write(directory.resolve(POSITION), JSON.writeValueAsBytes(now));
            Files.deleteIfExists(directory.resolve(FAILURES)); // the round gets on
            if (before.isPresent() && !before.get().file.equals(now.file)) {
                Files.deleteIfExists(directory.resolve(before.get().file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot keep the state of step " + step + " of stage " + stage + " in " + directory + ": "
                            + e.getMessage(),
                    e);
        }
    }

    // ---- reference --------------------------------------------------------------------------------------------------

    /** The reference's log-probabilities of that name, if they were computed before: of each text those of its answers. */
    Optional<List<double[]>> references(String name, int texts) throws IOException {
        Path file = referencesFile(name);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        List<double[]> references = Files.readAllLines(file).stream()
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
        Durable.write(referencesFile(name), text.toString());
    }
}
