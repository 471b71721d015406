package io.tidemill.trainer.objective;

/** Estimates of KL(π, other) from one token that π drew: Schulman, "Approximating KL divergence" (2020). */
final class Divergence {
    private Divergence() {}

    /** log π − log other: unbiased, and below 0 for some tokens; nats. */
    static double k1(double policy, double other) {
        return policy - other;
    }

    /** other/π − log(other/π) − 1: unbiased, never below 0; nats. */
    static double k3(double policy, double other) {
        return Math.expm1(other - policy) - (other - policy);
    }
}
