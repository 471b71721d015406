package io.tidemill.trainer.objective;

/**
 * A controller that keeps the divergence near a target by what a nat of it costs.
 *
 * <pre>  e = clip(KL/target − 1, −0.2, 0.2),   β ← β·(1 + e·n/horizon)  </pre>
 *
 * <p>Source: Ziegler et al. (2019), arXiv:1909.08593, section 2.2, whose K_β of 0.1 is n/horizon.
 *
 * @param initial β at first
 * @param target  KL of an answer that is aimed at; nats
 * @param horizon answers over which an error of 20 % changes β by 20 %
 */
public record AdaptiveKl(double initial, double target, double horizon) {
    private static final double MOST = 0.2;

    public AdaptiveKl {
        Ranges.positive("kl-coefficient", initial);
        Ranges.positive("kl-target", target);
        Ranges.positive("kl-horizon", horizon);
    }

    /**
     * The next β.
     *
     * @param beta       as it was
     * @param divergence mean KL of the answers seen; nats an answer
     * @param answers    n, how many that were
     */
    public double after(double beta, double divergence, long answers) {
        double error = Math.min(MOST, Math.max(-MOST, divergence / target - 1));
        return beta * (1 + error * answers / horizon);
    }
}
