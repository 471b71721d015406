package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/** Learns from rollouts with advantages: policy gradients. */
public interface PolicyObjective {
    /** As recipes, settings and figures name it. */
    String name();

    /** What all calls of a step have in common. */
    record Step(long answers, long tokens, int groups) {}

    /**
     * Fills the slopes of a call.
     *
     * @param answers of each text of the call its answers, in its order
     * @param step    sizes of the whole step, over all its calls: what sums are divided by
     * @return this call's part of the step's loss
     */
    double evaluate(AnswerCall call, List<List<SampledAnswer>> answers, Step step, Figures figures);
}
