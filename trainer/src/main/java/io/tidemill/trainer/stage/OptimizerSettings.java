package io.tidemill.trainer.stage;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ParameterGroups;
import io.tidemill.trainer.optimizer.Curve;
import io.tidemill.trainer.optimizer.LearningRateSchedule;

/**
 * How the steps of one stage move the weights.
 *
 * @param learningRate        peak
 * @param warmupShare         share of the stage's steps
 * @param maximumGradientNorm L2 norm of all gradients together, above which they are scaled down
 * @param floorShare          what the learning rate falls to, as a share of the peak
 * @param groups              which weights learn otherwise
 */
public record OptimizerSettings(
        double learningRate,
        double warmupShare,
        Curve decay,
        double maximumGradientNorm,
        double beta1,
        double beta2,
        double epsilon,
        double weightDecay,
        double floorShare,
        ParameterGroups groups) {
    /** Falls to 0, and all weights learn alike. */
    public OptimizerSettings(
            double learningRate,
            double warmupShare,
            Curve decay,
            double maximumGradientNorm,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay) {
        this(
                learningRate,
                warmupShare,
                decay,
                maximumGradientNorm,
                beta1,
                beta2,
                epsilon,
                weightDecay,
                0,
                ParameterGroups.NONE);
    }

    public OptimizerSettings {
        if (!(maximumGradientNorm > 0)) {
            throw new IllegalArgumentException(
                    "maximum-gradient-norm must be positive, but was " + maximumGradientNorm);
        }
        if (!(warmupShare >= 0 && warmupShare <= 1)) {
            throw new IllegalArgumentException("warmup-share must lie between 0 and 1, but was " + warmupShare);
        }
        if (!(floorShare >= 0 && floorShare <= 1)) {
            throw new IllegalArgumentException("floor-share must lie between 0 and 1, but was " + floorShare);
        }
    }

    public AdamWSettings adamW() {
        return new AdamWSettings(beta1, beta2, epsilon, weightDecay, groups);
    }

    LearningRateSchedule schedule(long steps) {
        return LearningRateSchedule.over(steps, learningRate, warmupShare, decay, floorShare);
    }
}
