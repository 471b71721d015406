package io.tidemill.trainer.rollout;

import java.util.Arrays;
import java.util.List;

/** How much better than expected each token of an answer was. */
public interface AdvantageRule {
    /**
     * Of one answer.
     *
     * @param advantages {@code [tokens]}
     * @param returns    what a critic should have said, {@code [tokens]}; empty without a critic
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Advantages(double[] advantages, double[] returns) {
        /** Every token was as good as the answer. */
        static Advantages same(double advantage, int tokens) {
            double[] all = new double[tokens];
            Arrays.fill(all, advantage);
            return new Advantages(all, new double[0]);
        }
    }

    /** Answers to a prompt at least. */
    int answers();

    /** Whether a critic's values are needed. */
    boolean needsValues();

    /** Whether the divergence from the reference is part of the reward. */
    boolean needsReference();

    /**
     * For each rollout its answers, in order.
     *
     * @param klCoefficient what a nat of divergence costs, where that is part of the reward
     */
    List<List<Advantages>> of(List<Rollout> rollouts, double klCoefficient);
}
