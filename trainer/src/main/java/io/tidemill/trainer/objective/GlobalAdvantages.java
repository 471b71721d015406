package io.tidemill.trainer.objective;

import java.util.List;

/**
 * REINFORCE++'s advantages: what is still to come, normalised over all tokens of the batch.
 *
 * <pre>  A_t = Σ_{s ≥ t} r_s,   then (A − mean) / standard deviation  </pre>
 *
 * <p>Source: Hu et al. (2025), arXiv:2501.03262, equations 6 and 8; r are {@link KlPenalty}'s rewards by token.
 */
public final class GlobalAdvantages {
    private GlobalAdvantages() {}

    /**
     * In place: rewards by token become advantages by token.
     *
     * @param rewards of each answer, {@code [tokens]}
     */
    public static void of(List<double[]> rewards) {
        for (double[] answer : rewards) {
            for (int t = answer.length - 2; t >= 0; t--) {
                answer[t] += answer[t + 1];
            }
        }
        GeneralisedAdvantage.whiten(rewards);
    }
}
