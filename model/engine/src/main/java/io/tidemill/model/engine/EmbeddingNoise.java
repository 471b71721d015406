package io.tidemill.model.engine;

import java.util.HashMap;
import java.util.Map;

/**
 * Noise on what a text's tokens are embedded as while a model learns from it: NEFTune.
 *
 * <pre>  x + ε,   ε uniform in ±α / √(L·h) </pre>
 *
 * <p>Source: Jain et al. (2023), arXiv:2310.05914, algorithm 1; α of 5 to 15 is usual. L is the length of the example, as
 * there. Differs from transformers, where it is that of the padded or packed row.
 *
 * <p>A number depends on the seed, the optimizer step, the call within the step and its place alone, so that a run that was
 * interrupted draws the same ones.
 *
 * @param alpha α; 0 is none
 * @param seed  of all noise of a run
 */
record EmbeddingNoise(double alpha, long seed) {
    static final EmbeddingNoise NONE = new EmbeddingNoise(0, 0);

    EmbeddingNoise {
        if (!(alpha >= 0) || Double.isInfinite(alpha)) {
            throw new IllegalArgumentException("The noise's alpha must be 0 or more and finite, but was " + alpha);
        }
    }

    boolean isNone() {
        return alpha == 0;
    }

    /**
     * float32 {@code [B, T, h]}, row by row; zeros on padding.
     *
     * @param hidden h
     * @param step   optimizer steps so far
     * @param call   calls of this step so far
     */
    float[] of(PackedBatch batch, int hidden, long step, int call) {
        float[] noise = new float[Math.multiplyExact(Math.multiplyExact(batch.rows(), batch.length()), hidden)];
        long stream = mix(mix(mix(seed) + step) + call);
        for (int row = 0; row < batch.rows(); row++) {
            Map<Integer, Integer> lengths = new HashMap<>();
            for (int segment : batch.segments()[row]) {
                lengths.merge(segment, 1, Integer::sum);
            }
            for (int t = 0; t < batch.length(); t++) {
                int segment = batch.segments()[row][t];
                if (segment != 0) {
                    double most = alpha / Math.sqrt((double) lengths.get(segment) * hidden);
                    fill(noise, (row * batch.length() + t) * hidden, hidden, most, stream);
                }
            }
        }
        return noise;
    }

    /** Counts on from the place: each gets the numbers that are its own, whatever came before. */
    private static void fill(float[] noise, int from, int count, double most, long stream) {
        for (int i = from; i < from + count; i++) {
            double unit = (mix(stream + i) >>> 11) * 0x1p-53; // in [0, 1)
            noise[i] = (float) ((2 * unit - 1) * most);
        }
    }

    /** The output function of SplitMix64 on a step of its counter: Steele, Lea and Flood (2014), doi:10.1145/2660193.2660195. */
    private static long mix(long counter) {
        long z = counter * 0x9E3779B97F4A7C15L + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
