package io.tidemill.trainer.objective;

/**
 * What is known of an answer that the policy gave in a rollout.
 *
 * @param sampled    log-probability of each token when it was sampled; nats, {@code [tokens]}
 * @param reference  the same under the reference; {@code [tokens]}, or empty where no divergence is measured
 * @param advantages of each token; {@code [tokens]}
 * @param oldValues  a critic's values when the rollout was made, {@code [tokens]}; empty without a critic
 * @param returns    what the critic should have said, {@code [tokens]}; empty without a critic
 * @param truncated  it ended because there was no more room, not by itself
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record SampledAnswer(
        double[] sampled,
        double[] reference,
        double[] advantages,
        double[] oldValues,
        double[] returns,
        boolean truncated) {
    public SampledAnswer {
        int n = sampled.length;
        if (advantages.length != n
                || reference.length != 0 && reference.length != n
                || oldValues.length != 0 && oldValues.length != n
                || returns.length != oldValues.length) {
            throw new IllegalArgumentException("An answer of " + n + " tokens has " + advantages.length
                    + " advantages, " + reference.length + " reference log-probabilities, " + oldValues.length
                    + " values and " + returns.length + " returns");
        }
    }
}
