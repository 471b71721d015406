package io.tidemill.trainer.pretrain;

import io.tidemill.model.engine.ComputeType;
import java.time.Duration;

/**
 * How a base model is trained from scratch. Same settings, text and machine give the same weights.
 *
 * @param epochs           passes over the whole training text
 * @param rows             rows of one step's batch, B
 * @param length           tokens per row, T
 * @param peakLearningRate highest learning rate, reached after the warm-up; falls linearly to zero at the last step
 * @param warmupSteps      optimizer steps from zero to the peak
 * @param maxGradientNorm  global L2 norm at which gradients are clipped
 * @param weightDecay      of every matrix, not of the norms
 * @param threads          libtorch threads; part of what fixes the bits
 * @param compute          type of the matrix products; masters are float32
 * @param seed             of initial weights and of the order of the text
 * @param saveEvery        how much work an interruption may cost
 */
public record PretrainSettings(
        int epochs,
        int rows,
        int length,
        double peakLearningRate,
        int warmupSteps,
        double maxGradientNorm,
        double weightDecay,
        int threads,
        ComputeType compute,
        long seed,
        Duration saveEvery) {

    public PretrainSettings {
        require(epochs > 0, "epochs", epochs, "at least 1");
        require(rows > 0, "rows", rows, "at least 1");
        require(length > 1, "length", length, "at least 2 tokens");
        require(peakLearningRate > 0, "peak-learning-rate", peakLearningRate, "positive");
        require(warmupSteps >= 0, "warmup-steps", warmupSteps, "not negative");
        require(threads > 0, "threads", threads, "at least 1");
    }

    /** The settings that made the embedded base model. */
    public static PretrainSettings embeddedBase() {
        return new PretrainSettings(
                2, 4, 512, 1.5e-3, 100, 1.0, 0.1, 1, ComputeType.best(), 20_261_123, Duration.ofMinutes(2));
    }

    private static void require(boolean holds, String key, Object value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException("pretrain " + key + " must be " + expected + ", but was " + value);
        }
    }
}
