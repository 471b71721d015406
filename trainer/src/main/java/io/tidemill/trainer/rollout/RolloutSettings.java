package io.tidemill.trainer.rollout;

/**
 * How often answers are drawn, and how often they are learned from.
 *
 * <p>Every {@link #stepsOfHarvest} optimizer steps answers are drawn with the weights as they are then. They are cut into
 * mini-batches by prompts, one for each step, and gone through {@code passes} times, unless they are too old before that.
 *
 * @param prompts     that are answered at once
 * @param answers     to each prompt
 * @param miniBatches that one pass over the answers is cut into
 * @param passes      over the answers; TRL's num_iterations, PPO's epochs
 * @param maximumAge  optimizer steps that the weights may have made since answers were drawn; what is older is refused, and
 *                    new answers are drawn
 * @param refills     how often further prompts are asked in place of those from whose answers nothing can be learned
 * @param dropEqual   whether groups of equal rewards are such prompts: DAPO's dynamic sampling; Yu et al. (2025),
 *                    arXiv:2503.14476, section 3.2
 * @param steps       optimizer steps of the stage
 */
public record RolloutSettings(
        int prompts,
        int answers,
        int miniBatches,
        int passes,
        int maximumAge,
        int refills,
        boolean dropEqual,
        long steps) {
    public RolloutSettings {
        if (prompts < 1 || answers < 1 || miniBatches < 1 || passes < 1 || steps < 1) {
            throw new IllegalArgumentException(
                    "prompts, answers, mini-batches, passes and steps must be at least 1, but" + " were " + prompts
                            + ", " + answers + ", " + miniBatches + ", " + passes + " and " + steps);
        }
        if (maximumAge < 0 || refills < 0) {
            throw new IllegalArgumentException(
                    "maximum-age and refills must be 0 or more, but were " + maximumAge + " and " + refills);
        }
        if (miniBatches > prompts) {
            throw new IllegalArgumentException(
                    "Prompts are cut into mini-batches, so there must be at least as many, but " + prompts
                            + " prompts were to make " + miniBatches + " mini-batches");
        }
        if (maximumAge < miniBatches - 1) {
            throw new IllegalArgumentException("The last of " + miniBatches + " mini-batches is " + (miniBatches - 1)
                    + " steps old when its turn comes, but maximum-age is " + maximumAge
                    + ", so it would never be learned from. Use fewer mini-batches or raise maximum-age");
        }
    }

    /** One pass, all answers in one step, nothing left out: the weights that learn are those that answered. */
    public static RolloutSettings onPolicy(int prompts, int answers, long steps) {
        return new RolloutSettings(prompts, answers, 1, 1, 0, 0, false, steps);
    }

    /** Steps that ask every one of {@code available} prompts {@code epochs} times. */
    public static long stepsOf(int available, int epochs, int prompts, int stepsOfHarvest) {
        return ((long) available * epochs + prompts - 1) / prompts * stepsOfHarvest;
    }

    /** Steps between two draws. */
    public int stepsOfHarvest() {
        return Math.min(miniBatches * passes, maximumAge + 1);
    }

    /** Step before which the answers are drawn that a step learns from; both from 1. */
    long drawnBefore(long step) {
        return step - (step - 1) % stepsOfHarvest();
    }

    /** Of the answers of one draw, how many uses are refused because of their age. */
    long refusedUses(int answersDrawn) {
        return (long) answersDrawn * passes - (long) answersDrawn * stepsOfHarvest() / miniBatches;
    }
}
