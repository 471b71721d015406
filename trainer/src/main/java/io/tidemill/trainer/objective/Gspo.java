package io.tidemill.trainer.objective;

/**
 * Group sequence policy optimisation: the ratio is that of the whole answer, per token, because the answer as a whole is
 * what was rewarded.
 *
 * <pre>  1/B · Σ_i 1/n_i · Σ_t L(s_i, A_t),   s_i = exp(1/n_i · Σ_t log π(t)/π_old(t))  </pre>
 *
 * <p>Source: Zheng et al. (2025), arXiv:2507.18071, equations 5 and 7; its bounds are far narrower, 3e-4 and 4e-4. As TRL's
 * {@code importance_sampling_level="sequence"}.
 */
public final class Gspo extends GroupPolicy {
    /** @see GroupPolicy */
    Gspo(Clip clip, DivergencePenalty penalty, boolean masksTruncated) {
        super(clip, penalty, masksTruncated);
    }

    @Override
    public String name() {
        return "gspo";
    }

    @Override
    boolean ratioOfAnswer() {
        return true;
    }

    @Override
    double divisor(int n, Step step) {
        return (double) n * step.answers();
    }
}
