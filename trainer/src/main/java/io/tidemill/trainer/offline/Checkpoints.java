package io.tidemill.trainer.offline;

import io.tidemill.model.engine.Learner;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.stage.StageState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * {@code checkpoint-STEP} directories of a run: whole models as Hugging Face has them, with tokenizer, and beside them
 * what it takes to go on exactly. Written aside, flushed and renamed, so that each is whole or not there.
 */
final class Checkpoints implements StageState {
    static final String STATE = "training-state.safetensors";

    private static final Pattern NAME = Pattern.compile("checkpoint-(\\d+)");

    private final Path output;
    private final Path model;
    private final Job<?> job;
    private final Logbook logbook;
    private final long limit;
    private final boolean keepsBest;

    /**
     * @param model     where tokenizer and the like come from
     * @param limit     how many are kept
     * @param keepsBest whether the best is kept besides
     */
    Checkpoints(Path output, Path model, Job<?> job, Logbook logbook, long limit, boolean keepsBest) {
        this.output = output;
        this.model = model;
        this.job = job;
        this.logbook = logbook;
        // As transformers: with a limit of one, the best and the newest are both kept.
        this.limit = keepsBest ? Math.max(2, limit) : limit;
        this.keepsBest = keepsBest;
    }

    /** Steps of those that are there, oldest first. */
    static List<Long> steps(Path output) throws IOException {
        if (!Files.isDirectory(output)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(output)) {
            return files.map(file -> NAME.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(name -> Long.parseLong(name.group(1)))
                    .sorted()
                    .toList();
        }
    }

    static Path directory(Path output, long step) {
        return output.resolve("checkpoint-" + step);
    }

    /** The state of the newest, if there is one. */
    static Optional<TrainerState> newest(Path output) throws IOException {
        List<Long> steps = steps(output);
        if (steps.isEmpty()) {
            return Optional.empty();
        }
        Path file = directory(output, steps.get(steps.size() - 1)).resolve(TrainerState.FILE);
        try {
            return Optional.of(TrainerState.JSON.readValue(file.toFile(), TrainerState.class));
        } catch (IOException e) {
            throw new IOException(
                    "Cannot go on from " + file.getParent() + ": " + e.getMessage()
                            + ". Delete that directory to go on from the one before.",
                    e);
        }
    }

    @Override
    public Saved resume(String stage, Learner learner) {
        try {
            Optional<TrainerState> newest = newest(output);
            newest.ifPresent(state -> load(state.globalStep(), learner));
            return newest.map(state -> new Saved(state.globalStep(), state.memory()))
                    .orElse(Saved.NONE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Puts the weights and moments of a checkpoint into the learner. */
    void load(long step, Learner learner) {
        learner.loadState(directory(output, step).resolve(STATE));
    }

    @Override
    public void save(String stage, long step, Map<String, Double> memory, Learner learner) {
        Path target = directory(output, step);
        Path aside = output.resolve("." + target.getFileName() + ".part");
        try {
            Durable.deleteTree(aside);
            job.save(aside, false);
            companions(model, aside);
            learner.saveState(aside.resolve(STATE));
            TrainerState.JSON
                    .writerWithDefaultPrettyPrinter()
                    .writeValue(aside.resolve(TrainerState.FILE).toFile(), logbook.state(step, memory));
            Durable.flushTree(aside);
            Durable.deleteTree(target); // of a state that did not count, such as one before a shorter resumption
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
            Durable.flushDirectory(output);
            rotate(step);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write " + target + ": " + e.getMessage(), e);
        }
    }

    /** Deletes the oldest beyond the limit; the newest stays, and the best where it is asked for. */
    private void rotate(long newest) throws IOException {
        List<Long> steps = new ArrayList<>(steps(output));
        long best = keepsBest ? logbook.bestStep() : 0;
        for (long step : List.copyOf(steps)) {
            if (steps.size() > limit && step != newest && step != best) {
                Path gone = directory(output, step);
                Path aside = output.resolve("." + gone.getFileName() + ".gone");
                Files.move(gone, aside, StandardCopyOption.ATOMIC_MOVE); // a half-deleted one is none
                Durable.deleteTree(aside);
                steps.remove(step);
            }
        }
    }

    /** Removes what a stop in the middle of writing or deleting has left. */
    static void sweep(Path output) throws IOException {
        try (Stream<Path> files = Files.list(output)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.matches("\\.checkpoint-\\d+\\.(part|gone)(\\.part)?|\\.final\\.part(\\.part)?")) {
                    Durable.deleteTree(file);
                }
            }
        }
    }

    /** Tokenizer, chat template, licences and the like, but nothing that a run itself writes. */
    static void companions(Path model, Path directory) throws IOException {
        List<String> own = List.of(
                TrainerState.FILE,
                RunPlan.FILE,
                RunPlan.RESULTS,
                "adapter_config.json",
                "position.json",
                "plan.json",
                VersionFiles.BASE_CARD);
        Path scratch = Files.createDirectory(directory.resolve(".companions"));
        VersionFiles.copyCompanions(model, scratch);
        try (Stream<Path> files = Files.list(scratch)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (!own.contains(name)) {
                    Files.move(file, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
        Durable.deleteTree(scratch);
    }
}
