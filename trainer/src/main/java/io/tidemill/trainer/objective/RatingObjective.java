package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;
import java.util.Map;

/** Learns from answers that were rated one by one: each text of a call has one. */
public interface RatingObjective {
    /** As recipes, settings and figures name it. */
    String name();

    /** Whether the policy's divergence from the reference is estimated from answers that belong to other prompts. */
    boolean needsMismatched();

    /**
     * Fills the slopes of a call.
     *
     * @param answers      those of the call, in its order
     * @param divergence   estimate of KL(policy, reference) over the step, from mismatched answers; nats, not negative; 0
     *                     where none is needed
     * @param weightOfStep sum of the weights of all answers of the step
     * @return this call's part of the step's loss
     */
    double evaluate(
            AnswerCall call, List<RatedAnswer> answers, double divergence, double weightOfStep, Figures figures);

    /** What outlives a step, such as a running mean of rewards. */
    default Map<String, Double> memory() {
        return Map.of();
    }

    default void restore(Map<String, Double> memory) {}
}
