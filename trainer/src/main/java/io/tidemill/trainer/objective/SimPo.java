package io.tidemill.trainer.objective;

/**
 * Simple preference optimisation: no reference, rewards per token, and a margin to reach.
 *
 * <pre>  −(1 − ε)·log σ(z) − ε·log σ(−z),   z = β·(log π(c)/|c| − log π(r)/|r|) − γ  </pre>
 *
 * <p>Source: Meng et al. (2024), arXiv:2405.14734, equation 6; ε and the chosen answer's own loss are TRL's additions,
 * which the paper does not have.
 *
 * <p>Letters: c and r the chosen and the rejected answer, |c| and |r| their tokens.
 *
 * <p>The figures' log-probabilities are means per token.
 */
public final class SimPo extends AnswerPairs {
    private final double beta;
    private final double gamma;
    private final double labelSmoothing;

    /**
     * @param beta             β; the paper uses 2 to 2.5, far more than DPO's, since rewards are per token
     * @param gamma            γ, by how much the chosen answer's reward should be above the other's; the paper uses 0.3 to 1.6
     * @param labelSmoothing   ε, how likely a preference is taken to be the wrong way round; below 0.5
     * @param supervisedWeight weight of the chosen answer's own loss, nats per token; 0 leaves it out
     */
    public SimPo(double beta, double gamma, double labelSmoothing, double supervisedWeight) {
        super(supervisedWeight);
        this.beta = Ranges.positive("beta", beta);
        this.gamma = Ranges.notNegative("gamma", gamma);
        this.labelSmoothing = Ranges.smoothing("label-smoothing", labelSmoothing);
    }

    @Override
    public String name() {
        return "simpo";
    }

    @Override
    public boolean needsReference() {
        return false;
    }

    @Override
    Term term(Answer chosen, Answer rejected, Figures figures) {
        Margin loss = Margin.logistic(beta * (chosen.mean() - rejected.mean()) - gamma, labelSmoothing);
        return Term.ofMargin(loss.loss(), loss.slope(), beta / chosen.tokens(), beta / rejected.tokens());
    }

    @Override
    double reward(Answer answer) {
        return beta * answer.mean();
    }

    @Override
    double logProbability(Answer answer) {
        return answer.mean();
    }
}
