package io.tidemill.trainer.objective;

/**
 * Group relative policy optimisation: every answer counts as much, however long it is.
 *
 * <pre>  1/B · Σ_i 1/n_i · Σ_t L_t     B answers of the step, n_i tokens of answer i  </pre>
 *
 * <p>Source: Shao et al., "DeepSeekMath" (2024), arXiv:2402.03300, equation 3; {@link GroupPolicy} has L_t. As TRL's
 * {@code loss_type="grpo"}.
 */
public final class Grpo extends GroupPolicy {
    /** @see GroupPolicy */
    Grpo(Clip clip, DivergencePenalty penalty, boolean masksTruncated) {
        super(clip, penalty, masksTruncated);
    }

    @Override
    public String name() {
        return "grpo";
    }

    @Override
    double divisor(int n, Step step) {
        return (double) n * step.answers();
    }
}
