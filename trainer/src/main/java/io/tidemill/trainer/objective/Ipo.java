package io.tidemill.trainer.objective;

/**
 * Identity preference optimisation: pulls the margin to a fixed width instead of widening it for ever.
 *
 * <pre>  (h − 1/(2β))²,   h = log π(c)/ref(c) / |c| − log π(r)/ref(r) / |r|  </pre>
 *
 * <p>Source: Azar et al. (2023), arXiv:2310.12036, equation 17, where β is called τ. Differs: as in TRL, log-ratios are
 * means over the answers' tokens, which the paper does not say and its authors confirmed to TRL's.
 *
 * <p>Letters: c and r the chosen and the rejected answer, |c| and |r| their tokens.
 */
public final class Ipo extends AnswerPairs {
    private final double beta;

    /**
     * @param beta             the width is 1/(2β)
     * @param supervisedWeight weight of the chosen answer's own loss, nats per token; 0 leaves it out
     */
    public Ipo(double beta, double supervisedWeight) {
        super(supervisedWeight);
        this.beta = Ranges.positive("beta", beta);
    }

    @Override
    public String name() {
        return "ipo";
    }

    @Override
    public boolean needsReference() {
        return true;
    }

    @Override
    Term term(Answer chosen, Answer rejected, Figures figures) {
        double h = chosen.logRatio() / chosen.tokens() - rejected.logRatio() / rejected.tokens();
        double off = h - 1 / (2 * beta);
        return Term.ofMargin(off * off, 2 * off, 1.0 / chosen.tokens(), 1.0 / rejected.tokens());
    }

    /** As TRL logs it: β times the whole log-ratio, though the loss uses its mean. */
    @Override
    double reward(Answer answer) {
        return beta * answer.logRatio();
    }
}
