package io.tidemill.trainer.stage;

import io.tidemill.model.engine.Learner;
import java.util.Map;

/**
 * One stage, ready to run, of a round or of a run over files. Steps count from 1.
 *
 * <p>Where it was interrupted it goes on: the learner is loaded, {@link #restore} gets what {@link #memory} gave, and
 * {@link #batch} is asked for the next step. It must then give the same batch as without the interruption.
 *
 * @param <L> what it teaches
 */
public interface Stage<L extends Learner> {
    String name();

    OptimizerSettings optimizer();

    /** Optimizer steps in all; 0 where there is nothing to learn. */
    long steps();

    /** How many examples take part. */
    long examples();

    /** Tokens of the longest row, or of a prompt with all its answers: what a call has at least. */
    int longest();

    /** Tokens that have a part in the loss, over all steps; 0 where nobody knows before. */
    long tokens();

    /**
     * What a step learns from. Asked once a step, in order; may generate with the learner as it is then.
     *
     * @param step from 1
     */
    StepBatch<L> batch(long step, L learner);

    /** Numbers that outlive a step, by name, such as a running mean: kept beside the learner's state. */
    default Map<String, Double> memory() {
        return Map.of();
    }

    /** The state after that step, and all before it, is kept for good: what only served to repeat them may go. */
    default void saved(long step) {}

    /** Goes on with numbers that {@link #memory} gave. */
    default void restore(Map<String, Double> memory) {}
}
