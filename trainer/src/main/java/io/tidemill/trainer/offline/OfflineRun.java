package io.tidemill.trainer.offline;

import com.fasterxml.jackson.core.type.TypeReference;
import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.Threads;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.offline.data.DataReader;
import io.tidemill.trainer.offline.data.DataReader.Data;
import io.tidemill.trainer.offline.data.Mistakes;
import io.tidemill.trainer.offline.log.MetricsCsv;
import io.tidemill.trainer.offline.log.Progress;
import io.tidemill.trainer.offline.log.TensorBoardFile;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.StageRunner;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * A run of one stage over files, from a recipe to a Hugging Face directory.
 *
 * <pre>
 *   recipe ─ data ─ tokens ─┬─ steps: logs, evaluations, checkpoints ─ the last or the best ─ output_dir
 *                           └─ mistakes: nothing starts
 * </pre>
 *
 * <p>Where {@code output_dir} holds checkpoints of the same recipe it goes on from the newest, and ends with the same
 * weights, bit for bit, as if it had not been stopped.
 */
public final class OfflineRun {
    private static final String EMBEDDED = "embedded";
    private static final String BASE = "base-model";
    private static final String LOCK = ".lock";
    private static final String LOGS = "runs";
    private static final String CSV = "metrics.csv";

    private final Recipe recipe;
    private final OfflineStage stage;
    private final Path output;
    private final Progress progress;
    private final Clock clock;
    private final LongSupplier nanoClock;

    public OfflineRun(Recipe recipe, Progress progress, Clock clock, LongSupplier nanoClock) {
        this.stage = OfflineStages.named(recipe.get(Keys.STAGE));
        this.recipe = recipe;
        this.output = Path.of(recipe.get(Keys.OUTPUT_DIR)).toAbsolutePath().normalize();
        this.progress = progress;
        this.clock = clock;
        this.nanoClock = nanoClock;
    }

    /**
     * Runs, or goes on, or says what came of it where it is done already.
     *
     * @return figures of the final evaluation and of the run, by name
     * @throws RecipeException where the recipe cannot be followed
     * @throws io.tidemill.trainer.offline.data.DataException where the data cannot be used
     */
    public Map<String, Double> run() throws IOException {
        check();
        boolean fresh = !Files.exists(output);
        Files.createDirectories(output);
        try (FileChannel channel =
                        FileChannel.open(output.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel)) {
            return runLocked();
        } finally {
            Files.deleteIfExists(output.resolve(LOCK));
            if (fresh) {
                deleteIfNothingBegan();
            }
        }
    }

    private FileLock lock(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return lock;
            }
        } catch (OverlappingFileLockException e) {
            // said below
        }
        throw new RecipeException("Another run writes to output_dir " + output + "; let it end, or name another.");
    }

    private void deleteIfNothingBegan() throws IOException {
        if (!Files.exists(output.resolve(RunPlan.FILE))) {
            Durable.deleteTree(output);
        }
    }

    // ---- before anything starts -------------------------------------------------------------------------------------

    private void check() {
        List<String> problems = new ArrayList<>();
        boolean evaluates = recipe.says(Keys.EVAL_DATA) || recipe.get(Keys.EVAL_SPLIT) > 0;
        if (!evaluates) {
            for (var key : List.of(Keys.EVAL_STEPS, Keys.PATIENCE)) {
                if (recipe.says(key)) {
                    problems.add(key + " needs eval_data or eval_split");
                }
            }
            if (recipe.get(Keys.LOAD_BEST)) {
                problems.add("load_best_model_at_end needs eval_data or eval_split");
            }
        }
        boolean often =
                recipe.says(Keys.EVAL_STEPS) || recipe.get(Keys.EVAL_STRATEGY).equals("epoch");
        if (recipe.says(Keys.PATIENCE) && !often) {
            problems.add("early_stopping_patience needs eval_steps, or eval_strategy: epoch");
        }
        if (recipe.get(Keys.EVAL_STRATEGY).equals("steps") && !recipe.says(Keys.EVAL_STEPS)) {
            problems.add("eval_strategy: steps needs eval_steps");
        }
        if (recipe.get(Keys.LOAD_BEST) && recipe.get(Keys.SAVE_STRATEGY).equals("no")) {
            problems.add("load_best_model_at_end needs checkpoints, but save_strategy is no");
        }
        if (recipe.get(Keys.MERGE) && recipe.get(Keys.LORA_RANK) == 0) {
            problems.add("merge needs an adapter: set lora_r");
        }
        if (recipe.says(Keys.MAX_STEPS) && recipe.get(Keys.MAX_STEPS) == 0) {
            problems.add("max_steps must be positive, or -1 to go by num_train_epochs");
        }
        for (Key<?> key : Keys.all()) {
            if (recipe.says(key)
                    && OfflineStage.SPECIAL.contains(key)
                    && !stage.special().contains(key)) {
                problems.add(key + " is not followed by stage " + stage.name() + "; leave it out");
            }
        }
        recipe.get(Keys.TRAIN_DATA);
        recipe.get(Keys.MODEL_PATH);
        Optimizers.of(recipe, stage.learningRate(), 1);
        if (!problems.isEmpty()) {
            throw new RecipeException("The recipe", problems);
        }
    }

    private Path model() throws IOException {
        String said = recipe.get(Keys.MODEL_PATH);
        if (said.equals(EMBEDDED)) {
            Path base = output.resolve(BASE);
            if (!Files.exists(base)) {
                BaseModel.extractTo(base);
            }
            return base;
        }
        Path directory = Path.of(said);
        for (String needed : List.of("config.json", "tokenizer.json")) {
            if (!Files.isRegularFile(directory.resolve(needed))) {
                throw new RecipeException("model " + said + " holds no " + needed
                        + "; name a Hugging Face directory (./tidemill pull brings one), or 'embedded'.");
            }
        }
        return directory;
    }

    private boolean hasRun() {
        return Files.exists(output.resolve(RunPlan.FILE));
    }

    private void overwrite() throws IOException {
        if (!recipe.get(Keys.OVERWRITE)) {
            return;
        }
        try (Stream<Path> files = Files.list(output)) {
            List<Path> all = files.filter(file -> !file.getFileName().toString().equals(LOCK))
                    .toList();
            if (!all.isEmpty() && !hasRun()) {
                throw new RecipeException(
                        "output_dir " + output
                                + " holds files that are no run's, so it is not overwritten; name another, or empty it yourself.");
            }
            for (Path file : all) {
                if (!file.getFileName().toString().equals(RunPlan.FILE)) {
                    Durable.deleteTree(file);
                }
            }
            Files.deleteIfExists(output.resolve(RunPlan.FILE)); // last: until then the rest is a run's
        }
    }

    // ---- the run ----------------------------------------------------------------------------------------------------

    private Map<String, Double> runLocked() throws IOException {
        overwrite();
        Threads.intraOp(recipe.get(Keys.THREADS).intValue());
        Path model = model();
        Mistakes mistakes = new Mistakes(recipe.get(Keys.LIST_INVALID).intValue());
        Data data = new DataReader(recipe, stage.formats(), mistakes).read();
        Counts counts = new Counts();
        Material material = new Material(recipe, model, output, data, mistakes, counts);
        OfflineStage.Prepared prepared = stage.prepare(material);
        mistakes.check(recipe.get(Keys.SKIP_INVALID));
        mistakes.byKind().forEach((kind, count) -> counts.add("skipped_" + kind.replace('-', '_'), count));

        RunPlan plan =
                RunPlan.of(recipe, data.digest(), model, material.compute().name());
        if (hasRun()) {
            plan.checkSame(output);
            Optional<Map<String, Double>> results = results();
            if (results.isPresent()) {
                progress.say("This run is done already; begin again with --overwrite-output-dir true.\n"
                        + table(results.get(), ""));
                return results.get();
            }
            Checkpoints.sweep(output);
        }
        progress.say("stage=" + stage.name() + " " + counts);
        try (Job<?> job = prepared.open()) {
            checkMetric(job);
            if (!hasRun()) {
                plan.write(output);
            }
            return learn(job, model, counts);
        }
    }

    private Optional<Map<String, Double>> results() throws IOException {
        Path file = output.resolve(RunPlan.RESULTS);
        return Files.exists(file)
                ? Optional.of(TrainerState.JSON.readValue(
                        file.toFile(), new TypeReference<LinkedHashMap<String, Double>>() {}))
                : Optional.empty();
    }

    private <L extends Learner> Map<String, Double> learn(Job<L> job, Path model, Counts counts) throws IOException {
        long start = nanoClock.getAsLong();
        Optional<TrainerState> earlier = Checkpoints.newest(output);
        long done = earlier.map(TrainerState::globalStep).orElse(0L);
        try (Logbook logbook = new Logbook(
                recipe,
                job,
                progress,
                new MetricsCsv(
                        output.resolve(CSV),
                        earlier.map(TrainerState::logHistory).orElse(List.of())),
                new TensorBoardFile(output.resolve(LOGS), clock, done),
                earlier)) {
            Checkpoints checkpoints = new Checkpoints(
                    output,
                    model,
                    job,
                    logbook,
                    recipe.find(Keys.SAVE_TOTAL_LIMIT).orElse(Long.MAX_VALUE),
                    recipe.get(Keys.LOAD_BEST));
            progress.say("steps=" + job.stage().steps() + (done > 0 ? " resumed_at=" + done : ""));
            if (done == 0 && recipe.get(Keys.EVAL_ON_START) && !job.figures().isEmpty()) {
                logbook.evaluate(0);
            }
            long last = steps(job, logbook, checkpoints);
            return finish(job, model, logbook, checkpoints, last, counts, (nanoClock.getAsLong() - start) * 1e-9);
        }
    }

    private void checkMetric(Job<?> job) {
        String metric = Logbook.metric(recipe);
        boolean asked = recipe.get(Keys.LOAD_BEST) || recipe.says(Keys.PATIENCE) || recipe.says(Keys.METRIC);
        if (asked && !job.figures().contains(metric)) {
            throw new RecipeException("metric_for_best_model is " + metric + ", but the evaluation of stage "
                    + stage.name() + " gives " + job.figures() + ".");
        }
    }

    /** Runs what is left and returns the step it ended with. */
    private <L extends Learner> long steps(Job<L> job, Logbook logbook, Checkpoints checkpoints) throws IOException {
        if (logbook.stopped()) {
            return checkpoints.resume(stage.name(), job.learner()).step(); // it had been stopped early
        }
        boolean keeps = !recipe.get(Keys.SAVE_STRATEGY).equals("no");
        long[] ended = {job.stage().steps()};
        LongPredicate saves = step -> keeps && (savesAt(job, step) || logbook.improved() && recipe.get(Keys.LOAD_BEST));
        int batch = recipe.get(Keys.BATCH).intValue();
        CallSize size = new CallSize(Integer.MAX_VALUE, batch, recipe.get(Keys.CHECKPOINTING));
        new StageRunner(keeps ? checkpoints : new Nowhere(), logbook, saves, nanoClock)
                .run(job.stage(), job.learner(), size);
        if (logbook.stopped()) {
            ended[0] = logbook.evaluatedAt();
        }
        return ended[0];
    }

    private boolean savesAt(Job<?> job, long step) {
        return switch (recipe.get(Keys.SAVE_STRATEGY)) {
            case "epoch" -> job.endsEpoch(step);
            case "no" -> false;
            default -> step % recipe.get(Keys.SAVE_STEPS) == 0;
        };
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

    private Map<String, Double> finish(
            Job<?> job, Path model, Logbook logbook, Checkpoints checkpoints, long last, Counts counts, double seconds)
            throws IOException {
        long chosen = last;
        if (recipe.get(Keys.LOAD_BEST) && logbook.bestStep() > 0 && logbook.bestStep() != last) {
            chosen = logbook.bestStep();
            checkpoints.load(chosen, job.learner());
        }
        Job.Evaluation evaluation = logbook.evaluation(chosen);
        Map<String, Double> results = new LinkedHashMap<>();
        evaluation.figures().forEach((name, value) -> results.put("eval_" + name, value));
        results.put("step", (double) chosen);
        results.put("epoch", job.epochs(chosen));
        counts.all().forEach((name, count) -> results.put(name, (double) count));
        results.put("train_runtime_seconds", seconds);

        Path aside = output.resolve(".final.part");
        Durable.deleteTree(aside);
        job.save(aside, true);
        Checkpoints.companions(model, aside);
        RunCard.write(aside, model, recipe, evaluation.figures(), counts.all());
        TrainerState.JSON
                .writerWithDefaultPrettyPrinter()
                .writeValue(
                        aside.resolve(TrainerState.FILE).toFile(),
                        logbook.state(last, job.stage().memory()));
        Durable.flushTree(aside);
        try (Stream<Path> files = Files.list(aside)) {
            for (Path file : files.toList()) {
                Files.move(file, output.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Durable.deleteTree(aside);
        Durable.flushDirectory(output);
        Durable.write( // last: it says that the rest is whole
                output.resolve(RunPlan.RESULTS),
                TrainerState.JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(results));
        progress.say(table(results, evaluation.table()) + "\n" + output);
        return results;
    }

    private static String table(Map<String, Double> figures, String more) {
        int width = figures.keySet().stream().mapToInt(String::length).max().orElse(0);
        StringBuilder table = new StringBuilder();
        figures.forEach((name, value) ->
                table.append(String.format(Locale.ROOT, "  %-" + width + "s  %12s%n", name, shown(value))));
        return table + more;
    }

    static String shown(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.format(Locale.ROOT, "%,d", (long) value)
                : String.format(Locale.ROOT, "%.4f", value);
    }

    /** Keeps no state: a run without checkpoints begins again. */
    private static final class Nowhere implements io.tidemill.trainer.stage.StageState {
        @Override
        public Saved resume(String stage, Learner learner) {
            return Saved.NONE;
        }

        @Override
        public void save(String stage, long step, Map<String, Double> memory, Learner learner) {}
    }
}
