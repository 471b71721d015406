package io.tidemill.trainer.objective;

/**
 * What divergence from the reference costs as part of a loss.
 *
 * <pre>  plain: β·k3_t      corrected: β·ρ_t·k3_t,   ρ_t = π(t)/π_old(t)  </pre>
 *
 * <p>Sources: {@link Divergence} has k3; the ratio, which makes the slope that of the divergence itself and not of an estimate
 * that was drawn by the old policy, is the unbiased estimate of DeepSeek-AI, "DeepSeek-V3.2" (2025), arXiv:2512.02556. TRL 1.13 corrects
 * unless told otherwise ({@code use_bias_correction_kl}); GRPO's own paper does not.
 *
 * @param beta      β; 0 leaves it out
 * @param corrected whether each token's is multiplied by the ratio, which is differentiated with it
 */
record DivergencePenalty(double beta, boolean corrected) {
    DivergencePenalty {
        Ranges.notNegative("beta", beta);
    }
}
