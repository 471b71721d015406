package io.tidemill.trainer.objective;

/**
 * Decoupled clip and dynamic sampling policy optimisation: every token counts as much, and likelier tokens may rise further
 * than unlikely ones fall.
 *
 * <pre>  1/Σ_i n_i · Σ_i Σ_t L_t     over all answers of the step  </pre>
 *
 * <p>Source: Yu et al. (2025), arXiv:2503.14476, equation 8, with ε_high above ε_low (section 3.1); {@link GroupPolicy} has
 * L_t. As TRL's {@code loss_type="dapo"}, and as its {@code "bnpo"} where a step is one batch. Dynamic sampling is the
 * rollouts' affair.
 */
public final class Dapo extends GroupPolicy {
    /** @see GroupPolicy */
    Dapo(Clip clip, DivergencePenalty penalty, boolean masksTruncated) {
        super(clip, penalty, masksTruncated);
    }

    @Override
    public String name() {
        return "dapo";
    }

    @Override
    double divisor(int n, Step step) {
        return Math.max(1, tokens(step));
    }
}
