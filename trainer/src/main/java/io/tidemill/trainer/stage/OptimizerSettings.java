package io.tidemill.trainer.stage;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.trainer.optimizer.LearningRateSchedule;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;

/**
 * How the steps of one stage move the weights.
 *
 * @param learningRate        peak
 * @param warmupShare         share of the stage's steps
 * @param maximumGradientNorm L2 norm of all gradients together, above which they are scaled down
 */
public record OptimizerSettings(
        double learningRate,
        double warmupShare,
        Decay decay,
        double maximumGradientNorm,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay) {

    public OptimizerSettings {
        if (!(maximumGradientNorm > 0)) {
            throw new IllegalArgumentException(
                    "maximum-gradient-norm must be positive, but was " + maximumGradientNorm);
        }
        if (!(warmupShare >= 0 && warmupShare <= 1)) {
            throw new IllegalArgumentException("warmup-share must lie between 0 and 1, but was " + warmupShare);
        }
    }

    public AdamWSettings adamW() {
        return new AdamWSettings(beta1, beta2, epsilon, weightDecay);
    }

    LearningRateSchedule schedule(long steps) {
        return LearningRateSchedule.over(steps, learningRate, warmupShare, decay);
    }
}
