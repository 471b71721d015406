package io.tidemill.trainer.objective;

import java.util.List;

/**
 * Generalised advantage estimation.
 *
 * <pre>  δ_t = r_t + γ·V_{t+1} − V_t,   A_t = δ_t + γ·λ·A_{t+1},   R_t = A_t + V_t  </pre>
 *
 * <p>Source: Schulman et al. (2016), arXiv:1506.02438, equations 11 and 16. After the last token comes nothing: V is 0 there,
 * unless the answer was cut off, when it is the critic's value of what would have gone on.
 *
 * <p>Letters: t a token, an action; V_t the value of the state before it; R what the critic should have said.
 *
 * @param gamma  γ, from 0 to 1; 1 is usual for answers
 * @param lambda λ, from 0 to 1; 0.95 is usual
 */
public record GeneralisedAdvantage(double gamma, double lambda) {
    private static final double TINY = 1e-8;

    public GeneralisedAdvantage {
        Ranges.share("gamma", gamma);
        Ranges.share("lambda", lambda);
    }

    /**
     * Of one answer of n tokens.
     *
     * @param advantages A, {@code [n]}
     * @param returns    R, {@code [n]}
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    public record Estimate(double[] advantages, double[] returns) {}

    /**
     * Of one answer of n tokens.
     *
     * @param rewards   r, {@code [n]}
     * @param values    V, before each token and after the last, {@code [n + 1]}
     * @param truncated whether it was cut off
     */
    public Estimate of(double[] rewards, double[] values, boolean truncated) {
        int n = rewards.length;
        if (values.length != n + 1) {
            throw new IllegalArgumentException(
                    "An answer of " + n + " tokens has " + (n + 1) + " values, but there are " + values.length);
        }
        double[] advantages = new double[n];
        double[] returns = new double[n];
        double next = 0;
        for (int t = n - 1; t >= 0; t--) {
            double after = t + 1 < n || truncated ? values[t + 1] : 0;
            next = rewards[t] + gamma * after - values[t] + gamma * lambda * next;
            advantages[t] = next;
            returns[t] = next + values[t];
        }
        return new Estimate(advantages, returns);
    }

    /** Moves all tokens' advantages to mean 0 and variance 1, n − 1 degrees of freedom, in place. */
    public static void whiten(List<double[]> advantages) {
        Spread spread = Spread.of(advantages);
        double scale = 1 / Math.sqrt(spread.variance() + TINY);
        for (double[] each : advantages) {
            for (int t = 0; t < each.length; t++) {
                each[t] = (each[t] - spread.mean()) * scale;
            }
        }
    }
}
