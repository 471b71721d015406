package io.tidemill.trainer.optimizer;

/**
 * Learning rate by step: a linear warm-up to the peak, then a decay towards a floor.
 *
 * <pre>
 *   step ≤ w:   peak · step / w
 *   step > w:   floor + (peak − floor) · shape(p),   p = (step − 1 − w) / (n − w)
 *   shape(p):   linear 1 − p,  cosine (1 + cos πp) / 2,  constant 1
 * </pre>
 *
 * <p>Letters: w warm-up steps, n steps in all. Cosine: Loshchilov and Hutter, "SGDR" (2017), equation 5,
 * arXiv:1608.03983, without restarts. Differs: p stops one notch short of 1 at the last step, so that no step is taken
 * with a rate of the floor 0.
 *
 * @param peak        rate after the warm-up
 * @param floor       rate that the decay approaches; at most the peak
 * @param warmupSteps w; 0 starts at the peak
 * @param totalSteps  n; later steps keep the floor
 */
public record LearningRateSchedule(double peak, double floor, long warmupSteps, long totalSteps, Decay decay) {
    /** How the rate falls after the warm-up. */
    public enum Decay {
        LINEAR {
            @Override
            double shape(double progress) {
                return 1 - progress;
            }
        },
        COSINE {
            @Override
            double shape(double progress) {
                return (1 + Math.cos(Math.PI * progress)) / 2;
            }
        },
        CONSTANT {
            @Override
            double shape(double progress) {
                return 1;
            }
        };

        /** From 1 at progress 0 to 0 (or not) at progress 1. */
        abstract double shape(double progress);
    }

    public LearningRateSchedule {
        if (!(peak > 0) || Double.isInfinite(peak)) {
            throw new IllegalArgumentException("peak must be positive and finite, but was " + peak);
        }
        if (!(floor >= 0 && floor <= peak)) {
            throw new IllegalArgumentException("floor must lie between 0 and the peak " + peak + ", but was " + floor);
        }
        if (warmupSteps < 0) {
            throw new IllegalArgumentException("warmupSteps must not be negative, but was " + warmupSteps);
        }
        if (totalSteps < 1) {
            throw new IllegalArgumentException("totalSteps must be at least 1, but was " + totalSteps);
        }
    }

    /**
     * The usual one: warm-up over a share of all steps, decay to 0.
     *
     * @param warmupShare between 0 and 1
     */
    public static LearningRateSchedule over(long totalSteps, double peak, double warmupShare, Decay decay) {
        return new LearningRateSchedule(peak, 0, Math.round(totalSteps * warmupShare), totalSteps, decay);
    }

    /**
     * Learning rate of a step.
     *
     * @param step counted from 1
     */
    public double at(long step) {
        if (step < 1) {
            throw new IllegalArgumentException("Steps count from 1, but was " + step);
        }
        if (step <= warmupSteps) {
            return peak * step / warmupSteps;
        }
        double progress = Math.min(1, (step - 1.0 - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
        return floor + (peak - floor) * decay.shape(progress);
    }
}
