package io.tidemill.trainer.optimizer;

import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import java.util.List;

/**
 * How the learning rate goes after the warm-up, between the peak, 1, and the floor, 0. Names and values as in
 * transformers 5.18, whose step 0 is our step 1; {@link LearningRateSchedule} says where its warm-up differs.
 */
public interface Curve {
    /** What transformers calls those that there are: {@code lr_scheduler_type}. */
    List<String> NAMES = List.of(
            "constant",
            "constant_with_warmup",
            "cosine",
            "cosine_with_min_lr",
            "cosine_with_restarts",
            "inverse_sqrt",
            "linear",
            "polynomial",
            "warmup_stable_decay");

    /**
     * @param after  steps since the warm-up, 0 at the first; may be more than {@code steps}
     * @param steps  from the end of the warm-up to the end, at least 1
     * @param warmup steps of the warm-up
     */
    double at(long after, long steps, long warmup);

    /**
     * By transformers' name, with the parameters that it takes where none are given; {@code constant} is without warm-up
     * only if the schedule has none.
     *
     * @param steps optimizer steps in all, of which {@code warmup_stable_decay} falls over the last tenth
     */
    static Curve named(String lrSchedulerType, long steps) {
        return switch (lrSchedulerType) {
            case "constant", "constant_with_warmup" -> Decay.CONSTANT;
            case "linear" -> Decay.LINEAR;
            case "cosine", "cosine_with_min_lr" -> Decay.COSINE;
            case "cosine_with_restarts" -> new CosineWithRestarts(1);
            case "polynomial" -> new Polynomial(1);
            case "inverse_sqrt" -> new InverseSquareRoot(0);
            case "warmup_stable_decay" ->
                new StableThenDecay(Math.max(1, Math.round(0.1 * steps)), StableThenDecay.Shape.COSINE);
            default ->
                throw new IllegalArgumentException(
                        "lr_scheduler_type must be one of " + NAMES + ", but was " + lrSchedulerType);
        };
    }

    /** p = after / steps, at most 1. */
    private static double progress(long after, long steps) {
        return Math.min(1, (double) after / Math.max(1, steps));
    }

    /**
     * (1 − p)^k; {@code get_polynomial_decay_schedule_with_warmup}, whose {@code lr_end} is the schedule's floor.
     *
     * @param power k
     */
    record Polynomial(double power) implements Curve {
        public Polynomial {
            if (!(power > 0)) {
                throw new IllegalArgumentException("power must be positive, but was " + power);
            }
        }

        @Override
        public double at(long after, long steps, long warmup) {
            return Math.pow(1 - progress(after, steps), power);
        }
    }

    /**
     * √(t / (t + after)); {@code get_inverse_sqrt_schedule}. Zhai et al. (2022), arXiv:2106.04560, section 3.5.
     *
     * @param timescale t, steps; 0 takes those of the warm-up, or 10,000 where there are none
     */
    record InverseSquareRoot(long timescale) implements Curve {
        public InverseSquareRoot {
            if (timescale < 0) {
                throw new IllegalArgumentException("timescale must not be negative, but was " + timescale);
            }
        }

        @Override
        public double at(long after, long steps, long warmup) {
            long scale = timescale > 0 ? timescale : warmup > 0 ? warmup : 10_000;
            return 1 / Math.sqrt((double) (after + scale) / scale);
        }
    }

    /**
     * (1 + cos π(c·p mod 1)) / 2; {@code get_cosine_with_hard_restarts_schedule_with_warmup}. Loshchilov and Hutter,
     * "SGDR" (2017), equation 5, arXiv:1608.03983, all periods equally long.
     *
     * @param cycles c
     */
    record CosineWithRestarts(int cycles) implements Curve {
        public CosineWithRestarts {
            if (cycles < 1) {
                throw new IllegalArgumentException("cycles must be at least 1, but were " + cycles);
            }
        }

        @Override
        public double at(long after, long steps, long warmup) {
            double p = progress(after, steps);
            return p >= 1 ? 0 : (1 + Math.cos(Math.PI * (cycles * p % 1))) / 2;
        }
    }

    /**
     * The peak, and a fall over the last steps: "warm-up, stable, decay", {@code get_wsd_schedule}. Hu et al., "MiniCPM"
     * (2024), section 4, arXiv:2404.06395. Differs where there is a floor: transformers' warm-up begins at it.
     *
     * @param decaySteps over which it falls; all steps after the warm-up where there are fewer
     */
    record StableThenDecay(long decaySteps, Shape shape) implements Curve {
        /** Of the fall. */
        public enum Shape {
            LINEAR,
            COSINE,
            /** 1 − √p: Hägele et al. (2024), arXiv:2405.18392. */
            ONE_MINUS_SQRT
        }

        public StableThenDecay {
            if (decaySteps < 1) {
                throw new IllegalArgumentException("decay steps must be at least 1, but were " + decaySteps);
            }
        }

        @Override
        public double at(long after, long steps, long warmup) {
            long falling = Math.min(decaySteps, steps);
            long stable = steps - falling;
            if (after < stable) {
                return 1;
            }
            double p = progress(after - stable, falling);
            return switch (shape) {
                case LINEAR -> 1 - p;
                case COSINE -> (1 + Math.cos(Math.PI * p)) / 2;
                case ONE_MINUS_SQRT -> 1 - Math.sqrt(p);
            };
        }
    }
}
