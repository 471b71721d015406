package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/** Learns from rollouts with advantages: policy gradients. */
public interface PolicyObjective {
    /** As recipes, settings and figures name it. */
    String name();

    /** Whether log-probabilities of a reference are needed: whether the divergence from it is part of the loss. */
    boolean needsReference();

    /** Whether a critic learns beside the policy: answers have old values and returns, the model a head of one value. */
    default boolean needsValues() {
        return false;
    }

    /**
     * What all calls of a step have in common.
     *
     * @param answers     of the step
     * @param tokens      of all of them
     * @param wholeTokens of those that were not cut off
     */
    record Step(long answers, long tokens, long wholeTokens) {
        /** Of answers by text. */
        public static Step of(List<List<SampledAnswer>> answers) {
            long count = 0;
            long tokens = 0;
            long whole = 0;
            for (List<SampledAnswer> ofText : answers) {
                for (SampledAnswer answer : ofText) {
                    count++;
                    tokens += answer.sampled().length;
                    whole += answer.truncated() ? 0 : answer.sampled().length;
                }
            }
            return new Step(count, tokens, whole);
        }
    }

    /**
     * Fills the slopes of a call.
     *
     * @param answers of each text of the call its answers, in its order
     * @param step    sizes of the whole step, over all its calls: what sums are divided by
     * @return this call's part of the step's loss
     */
    double evaluate(AnswerCall call, List<List<SampledAnswer>> answers, Step step, Figures figures);
}
