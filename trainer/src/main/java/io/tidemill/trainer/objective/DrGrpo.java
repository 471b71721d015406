package io.tidemill.trainer.objective;

/**
 * "GRPO done right": a constant instead of the answer's own length, so that long wrong answers are not pushed down less.
 *
 * <pre>  1/(B·N) · Σ_i Σ_t L_t     B answers of the step, N the longest that an answer may be  </pre>
 *
 * <p>Source: Liu et al. (2025), arXiv:2503.20783, section 3; {@link GroupPolicy} has L_t. As TRL's
 * {@code loss_type="dr_grpo"}. Its other half, advantages that are not divided by the group's standard deviation, is
 * {@link GroupAdvantages.Scale#NONE}.
 */
public final class DrGrpo extends GroupPolicy {
    private final int longest;

    /** @param longest N, tokens */
    DrGrpo(Clip clip, DivergencePenalty penalty, boolean masksTruncated, int longest) {
        super(clip, penalty, masksTruncated);
        this.longest = longest;
    }

    @Override
    public String name() {
        return "dr-grpo";
    }

    @Override
    double divisor(int n, Step step) {
        return (double) longest * step.answers();
    }
}
