package io.tidemill.trainer.optimizer;

/**
 * Learning rate by step: a linear warm-up to the peak, then a decay towards a floor.
 *
 * <pre>
 *   step ≤ w:   peak · step / w
 *   step > w:   floor + (peak − floor) · shape(p),   p = (step − 1 − w) / (n − w)
 *   shape(p):   linear 1 − p,  cosine (1 + cos πp) / 2,  constant 1;  {@link Curve} has others
 * </pre>
 *
 * <p>After the warm-up these are the rates that transformers 5.18 takes for the same steps. In the warm-up its rates are
 * one notch behind, peak · (step − 1) / w: its first step moves nothing, and the step that first has the peak is w + 1
 * there, w here. And after the n-th step the floor stays, where some of theirs rise again.
 *
 * <p>Letters: w warm-up steps, n steps in all. Cosine: Loshchilov and Hutter, "SGDR" (2017), equation 5,
 * arXiv:1608.03983, without restarts. p stops one notch short of 1 at the last step, so that no step is taken
 * with a rate of the floor 0.
 *
 * @param peak        rate after the warm-up
 * @param floor       rate that the decay approaches; at most the peak
 * @param warmupSteps w; 0 starts at the peak
 * @param totalSteps  n; later steps keep the floor
 */
public record LearningRateSchedule(double peak, double floor, long warmupSteps, long totalSteps, Curve decay) {
    /** How the rate falls after the warm-up. */
    public enum Decay implements Curve {
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

        @Override
        public double at(long after, long steps, long warmup) {
            return shape(Math.min(1, (double) after / Math.max(1, steps)));
        }
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
    public static LearningRateSchedule over(long totalSteps, double peak, double warmupShare, Curve decay) {
        return over(totalSteps, peak, warmupShare, decay, 0);
    }

    /**
     * Warm-up over a share of all steps, decay to a share of the peak.
     *
     * @param warmupShare between 0 and 1
     * @param floorShare  between 0 and 1; {@code min_lr_rate} in transformers
     */
    public static LearningRateSchedule over(
            long totalSteps, double peak, double warmupShare, Curve decay, double floorShare) {
        return new LearningRateSchedule(
                peak, peak * floorShare, Math.round(totalSteps * warmupShare), totalSteps, decay);
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
        long steps = Math.max(1, totalSteps - warmupSteps);
        return floor + (peak - floor) * decay.at(step - 1 - warmupSteps, steps, warmupSteps);
    }
}
