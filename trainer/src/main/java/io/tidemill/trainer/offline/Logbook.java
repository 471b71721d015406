package io.tidemill.trainer.offline;

import io.tidemill.model.engine.Learner;
import io.tidemill.trainer.offline.log.MetricsCsv;
import io.tidemill.trainer.offline.log.Progress;
import io.tidemill.trainer.offline.log.TensorBoardFile;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.optimizer.EarlyStopping;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Hears of each step of a run: logs, evaluates, knows the best and when to stop. What it knows is part of every
 * checkpoint, so that a resumed run logs, stops and chooses as one that was never stopped.
 */
final class Logbook implements StepListener, AutoCloseable {
    private static final String STEPS = "steps";
    private static final String SECONDS = "seconds";
    private static final String TOKENS = "tokens";
    private static final String SUM = "sum_";

    private final Recipe recipe;
    private final Job<?> job;
    private final Progress progress;
    private final MetricsCsv csv;
    private final TensorBoardFile board;
    private final String metric;
    private final boolean greaterIsBetter;
    private final Optional<EarlyStopping> stopping;

    private final List<Map<String, Double>> history = new ArrayList<>();
    private final Map<String, Double> window = new TreeMap<>(); // sums since the last row
    private Double best;
    private long bestStep;
    private boolean stopped;
    private boolean improved;
    private Job.Evaluation evaluation = Job.Evaluation.NONE;
    private long evaluatedAt = -1;

    /** @param earlier what the newest checkpoint says */
    Logbook(
            Recipe recipe,
            Job<?> job,
            Progress progress,
            MetricsCsv csv,
            TensorBoardFile board,
            Optional<TrainerState> earlier) {
        this.recipe = recipe;
        this.job = job;
        this.progress = progress;
        this.csv = csv;
        this.board = board;
        this.metric = metric(recipe);
        this.greaterIsBetter = recipe.find(Keys.GREATER).orElse(!isLoss(metric));
        this.stopping = recipe.find(Keys.PATIENCE)
                .map(patience -> new EarlyStopping(
                        Math.toIntExact(patience), recipe.get(Keys.PATIENCE_THRESHOLD), greaterIsBetter));
        earlier.ifPresent(state -> {
            history.addAll(state.logHistory());
            window.putAll(state.window());
            best = state.bestMetric();
            bestStep = state.bestStep();
            stopping.ifPresent(patience -> patience.restore(state.patience()));
            stopped = state.stopped();
        });
    }

    /** Without {@code eval_}. */
    static String metric(Recipe recipe) {
        String said = recipe.get(Keys.METRIC);
        return said.startsWith("eval_") ? said.substring("eval_".length()) : said;
    }

    private static boolean isLoss(String name) {
        return name.endsWith("loss") || name.equals("perplexity");
    }

    // ---- steps ------------------------------------------------------------------------------------------------------

    @Override
    public void before(Stage<?> stage, long step) {}

    @Override
    public void after(Stage<?> stage, StepReport report) {
        add(STEPS, 1);
        add(SECONDS, report.elapsed().toNanos() * 1e-9);
        add(TOKENS, report.tokens());
        add(SUM + "loss", report.loss());
        report.figures().forEach((name, value) -> add(SUM + name, value));
        long step = report.step();
        double tokensPerSecond = window.get(TOKENS) / Math.max(1e-9, window.get(SECONDS));
        progress.step(step, stage.steps(), report.loss(), report.learningRate(), tokensPerSecond);
        if (step % recipe.get(Keys.LOGGING_STEPS) == 0 || step == stage.steps()) {
            log(stage, report, tokensPerSecond);
        }
    }

    private void add(String name, double value) {
        window.merge(name, value, Double::sum);
    }

    private void log(Stage<?> stage, StepReport report, double tokensPerSecond) {
        Map<String, Double> row = row(report.step());
        double steps = window.get(STEPS);
        row.put("loss", window.get(SUM + "loss") / steps);
        row.put("grad_norm", report.gradientNorm());
        row.put("learning_rate", report.learningRate());
        window.forEach((name, sum) -> {
            if (name.startsWith(SUM)) {
                row.putIfAbsent(name.substring(SUM.length()), sum / steps);
            }
        });
        row.put("tokens_per_second", tokensPerSecond);
        window.clear();
        write(stage, report.step(), row, "train/", "");
    }

    private Map<String, Double> row(long step) {
        Map<String, Double> row = new LinkedHashMap<>();
        row.put("step", (double) step);
        row.put("epoch", job.epochs(step));
        return row;
    }

    private void write(Stage<?> stage, long step, Map<String, Double> row, String board, String prefix) {
        history.add(row);
        Map<String, Double> scalars = new LinkedHashMap<>();
        row.forEach((name, value) -> {
            if (!name.equals("step") && Double.isFinite(value)) {
                scalars.put(board + name.substring(name.startsWith(prefix) ? prefix.length() : 0), value);
            }
        });
        try {
            csv.add(row);
            this.board.add(step, scalars);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write the logs: " + e.getMessage(), e);
        }
        progress.logged(step, stage.steps(), row);
    }

    // ---- evaluations ------------------------------------------------------------------------------------------------

    @Override
    public boolean ends(Stage<?> stage, long step, Learner learner) {
        improved = false;
        if (evaluates(step) && step < stage.steps()
                || step == stage.steps() && !job.figures().isEmpty()) {
            evaluate(step);
        }
        return stopped;
    }

    private boolean evaluates(long step) {
        if (job.figures().isEmpty()) {
            return false;
        }
        return switch (recipe.get(Keys.EVAL_STRATEGY)) {
            case "no" -> false;
            case "epoch" -> job.endsEpoch(step);
            default ->
                recipe.find(Keys.EVAL_STEPS).filter(every -> step % every == 0).isPresent();
        };
    }

    /** Evaluates as it is now, and judges whether it is the best. */
    void evaluate(long step) {
        evaluation = job.evaluate();
        evaluatedAt = step;
        Map<String, Double> row = row(step);
        evaluation.figures().forEach((name, value) -> row.put("eval_" + name, value));
        write(job.stage(), step, row, "eval/", "eval_");
        double value = evaluation.figures().getOrDefault(metric, Double.NaN);
        if (better(value)) {
            best = value;
            bestStep = step;
            improved = true;
        }
        stopped = stopping.isPresent() && stopping.get().stopsAfter(value);
        if (stopped) {
            progress.say("Stopped early at step " + step + ": " + metric + " was best at step " + bestStep + ", " + best
                    + ", and " + recipe.get(Keys.PATIENCE) + " evaluations brought no better one.");
        }
    }

    private boolean better(double value) {
        return !Double.isNaN(value) && (best == null || (greaterIsBetter ? value > best : value < best));
    }

    /** Whether the last step gave the best so far. */
    boolean improved() {
        return improved;
    }

    boolean stopped() {
        return stopped;
    }

    /** 0 where nothing was evaluated. */
    long bestStep() {
        return bestStep;
    }

    /** Step of the newest evaluation. */
    long evaluatedAt() {
        return evaluatedAt;
    }

    /** The newest evaluation, made now if the weights are of another step. */
    Job.Evaluation evaluation(long step) {
        if (evaluatedAt != step && !job.figures().isEmpty()) {
            evaluation = job.evaluate();
            evaluatedAt = step;
        }
        return evaluation;
    }

    TrainerState state(long step, Map<String, Double> memory) {
        return new TrainerState(
                step,
                job.stage().steps(),
                job.epochs(step),
                history,
                best,
                bestStep,
                stopping.map(EarlyStopping::memory).orElse(Map.of()),
                stopped,
                window,
                memory);
    }

    @Override
    public void close() throws IOException {
        board.close();
    }
}
