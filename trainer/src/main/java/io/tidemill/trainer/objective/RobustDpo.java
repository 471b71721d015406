package io.tidemill.trainer.objective;

/**
 * Direct preference optimisation that knows how many preferences are the wrong way round, and is unbiased under them.
 *
 * <pre>  (−(1 − ε)·log σ(z) + ε·log σ(−z)) / (1 − 2ε),   z = β·(log π(c)/ref(c) − log π(r)/ref(r))  </pre>
 *
 * <p>Source: Ray Chowdhury et al. (2024), arXiv:2403.00409, equation 12. As in TRL, whose default ε of 0 makes it plain DPO.
 *
 * <p>Letters: c and r the chosen and the rejected answer.
 */
public final class RobustDpo extends AnswerPairs {
    private final double beta;
    private final double labelSmoothing;

    /**
     * @param beta             β, how strongly the reference holds
     * @param labelSmoothing   ε, the share of preferences that are the wrong way round; below 0.5, the paper uses 0.1
     * @param supervisedWeight weight of the chosen answer's own loss, nats per token; 0 leaves it out
     */
    public RobustDpo(double beta, double labelSmoothing, double supervisedWeight) {
        super(supervisedWeight);
        this.beta = Ranges.positive("beta", beta);
        this.labelSmoothing = Ranges.smoothing("label-smoothing", labelSmoothing);
    }

    @Override
    public String name() {
        return "robust";
    }

    @Override
    public boolean needsReference() {
        return true;
    }

    @Override
    Term term(Answer chosen, Answer rejected, Figures figures) {
        double z = beta * (chosen.logRatio() - rejected.logRatio());
        double scale = 1 / (1 - 2 * labelSmoothing);
        double loss = -(1 - labelSmoothing) * Logistic.logSigmoid(z) + labelSmoothing * Logistic.logSigmoid(-z);
        double slope = -(1 - labelSmoothing) * Logistic.sigmoid(-z) - labelSmoothing * Logistic.sigmoid(z);
        return Term.ofMargin(scale * loss, scale * slope, beta, beta);
    }

    @Override
    double reward(Answer answer) {
        return beta * answer.logRatio();
    }
}
