package io.tidemill.trainer.objective;

/**
 * Rewards by token: each pays for its divergence from the reference, and the last one earns the answer's score.
 *
 * <pre>  r_t = −β·(log π(t) − log ref(t)) + [t is the last]·score  </pre>
 *
 * <p>Sources: Ziegler et al. (2019), arXiv:1909.08593, equation 2; Stiennon et al. (2020), arXiv:2009.01325; the estimate is
 * k1 of Schulman, "Approximating KL divergence" (2020).
 */
public final class KlPenalty {
    private KlPenalty() {}

    /**
     * Of one answer.
     *
     * @param sampled     log π when it was sampled; nats, {@code [tokens]}
     * @param reference   log ref; {@code [tokens]}, or empty: nothing is paid
     * @param coefficient β, for a nat
     */
    public static double[] rewards(double[] sampled, double[] reference, double score, double coefficient) {
        if (reference.length != 0 && reference.length != sampled.length || sampled.length == 0) {
            throw new IllegalArgumentException("An answer of " + sampled.length + " tokens has " + reference.length
                    + " log-probabilities of the reference");
        }
        double[] rewards = new double[sampled.length];
        for (int t = 0; t < reference.length; t++) {
            rewards[t] = -coefficient * Divergence.k1(sampled[t], reference[t]);
        }
        rewards[rewards.length - 1] += score;
        return rewards;
    }

    /** log π − log ref of the whole answer; nats. */
    public static double divergence(double[] sampled, double[] reference) {
        double sum = 0;
        for (int t = 0; t < reference.length; t++) {
            sum += Divergence.k1(sampled[t], reference[t]);
        }
        return sum;
    }
}
