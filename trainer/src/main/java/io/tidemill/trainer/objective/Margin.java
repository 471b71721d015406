package io.tidemill.trainer.objective;

/**
 * A loss of one number z that should be large, and its derivative there.
 *
 * @param slope d loss / dz
 */
record Margin(double loss, double slope) {
    /**
     * −(1 − ε)·log σ(z) − ε·log σ(−z).
     *
     * @param smoothing ε
     */
    static Margin logistic(double z, double smoothing) {
        return new Margin(
                -(1 - smoothing) * Logistic.logSigmoid(z) - smoothing * Logistic.logSigmoid(-z),
                -(1 - smoothing) * Logistic.sigmoid(-z) + smoothing * Logistic.sigmoid(z));
    }

    /** max(0, 1 − z). */
    static Margin hinge(double z) {
        return z < 1 ? new Margin(1 - z, -1) : new Margin(0, 0);
    }
}
