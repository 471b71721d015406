package io.tidemill.trainer.offline;

import io.tidemill.model.engine.Learner;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StepBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * Examples seen over and over, each pass in an order of its own: SHA-256(seed + pass, example id). The steps of one pass
 * are in memory at a time; how many all have is counted before.
 *
 * @param <E> one example, tokenized
 */
final class EpochStage<L extends Learner, E> implements Stage<L> {
    /** Makes the steps of one pass. */
    @FunctionalInterface
    interface Layout<L extends Learner, E> {
        List<StepBatch<L>> steps(List<E> ordered, int epoch);
    }

    private final String name;
    private final List<E> examples;
    private final Function<E, String> ids;
    private final long seed;
    private final Layout<L, E> layout;
    private final OptimizerSettings optimizer;
    private final long[] ends; // steps up to the end of each pass
    private final int longest;
    private final long tokens;

    private Supplier<Map<String, Double>> memory = Map::of;
    private Consumer<Map<String, Double>> restore = earlier -> {};
    private int epoch = -1;
    private List<StepBatch<L>> batches = List.of();

    /**
     * @param epochs    passes; the last may be a part of one
     * @param maxSteps  steps in all where positive, instead of {@code epochs}
     * @param optimizer given the number of steps
     */
    EpochStage(
            String name,
            List<E> examples,
            Function<E, String> ids,
            long seed,
            double epochs,
            long maxSteps,
            Layout<L, E> layout,
            LongFunction<OptimizerSettings> optimizer) {
        this.name = name;
        this.examples = List.copyOf(examples);
        this.ids = ids;
        this.seed = seed;
        this.layout = layout;
        List<Long> ends = new ArrayList<>();
        int longest = 0;
        long tokens = 0;
        long steps = 0;
        for (int pass = 0; maxSteps > 0 ? steps < maxSteps : pass < epochs; pass++) {
            List<StepBatch<L>> all = layout(pass);
            if (all.isEmpty()) {
                throw new IllegalStateException("Stage " + name + " has nothing to learn from");
            }
            double share = maxSteps > 0 ? 1 : Math.min(1, epochs - pass);
            long wanted = Math.max(1, Math.round(share * all.size()));
            long taken = maxSteps > 0 ? Math.min(wanted, maxSteps - steps) : wanted;
            for (StepBatch<L> batch : all.subList(0, (int) taken)) {
                longest = Math.max(longest, batch.longest());
                tokens += batch.tokens();
            }
            steps += taken;
            ends.add(steps);
        }
        this.ends = ends.stream().mapToLong(Long::longValue).toArray();
        this.longest = longest;
        this.tokens = tokens;
        this.optimizer = optimizer.apply(steps);
    }

    private List<StepBatch<L>> layout(int pass) {
        return layout.steps(new ExampleOrder(seed + pass).sort(examples, ids), pass);
    }

    /** Keeps numbers of the objective's beside the weights. */
    EpochStage<L, E> remembering(Supplier<Map<String, Double>> given, Consumer<Map<String, Double>> taken) {
        memory = given;
        restore = taken;
        return this;
    }

    @Override
    public Map<String, Double> memory() {
        return memory.get();
    }

    @Override
    public void restore(Map<String, Double> earlier) {
        restore.accept(earlier);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public OptimizerSettings optimizer() {
        return optimizer;
    }

    @Override
    public long steps() {
        return ends[ends.length - 1];
    }

    /** Passes after a number of steps, and the part of the last one. */
    double epochs(long step) {
        int pass = pass(Math.max(1, step));
        long before = pass == 0 ? 0 : ends[pass - 1];
        return pass + (double) (step - before) / (ends[pass] - before);
    }

    /** Whether a pass ends with this step. */
    boolean endsEpoch(long step) {
        return Arrays.binarySearch(ends, step) >= 0;
    }

    private int pass(long step) {
        int found = Arrays.binarySearch(ends, step);
        return found >= 0 ? found : -found - 1;
    }

    @Override
    public long examples() {
        return examples.size();
    }

    @Override
    public int longest() {
        return longest;
    }

    @Override
    public long tokens() {
        return tokens;
    }

    @Override
    public StepBatch<L> batch(long step, L learner) {
        int pass = pass(step);
        if (pass != epoch) {
            batches = layout(pass);
            epoch = pass;
        }
        return batches.get(Math.toIntExact(step - 1 - (pass == 0 ? 0 : ends[pass - 1])));
    }
}
