package io.tidemill.trainer.objective;

/** The logistic function σ(x) = 1 / (1 + e^−x) and logarithms near it, without overflow or cancellation. */
final class Logistic {
    private static final double LOG_2 = Math.log(2);

    private Logistic() {}

    static double sigmoid(double x) {
        return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
    }

    /** log σ(x). */
    static double logSigmoid(double x) {
        return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
    }

    /**
     * log(1 − e^x).
     *
     * @param x below 0
     */
    static double log1mExp(double x) {
        return x > -LOG_2 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
    }
}
