package io.tidemill.feedback.answer;

/** Logits to probabilities. */
final class Probabilities {
    private Probabilities() {}

    /** One of them is right: {@code exp z[i] / Σ exp z[j]}, the largest logit taken off first, so that nothing overflows. */
    static double[] softmax(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double[] probabilities = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] = Math.exp(logits[i] - largest);
            sum += probabilities[i];
        }
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    /** Each is right or wrong by itself: {@code 1 / (1 + exp −z[i])}. */
    static double[] logistic(float[] logits) {
        double[] probabilities = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] = 1 / (1 + Math.exp(-logits[i]));
        }
        return probabilities;
    }
}
