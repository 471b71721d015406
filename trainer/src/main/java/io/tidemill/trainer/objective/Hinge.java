package io.tidemill.trainer.objective;

/**
 * The hinge loss of sequence likelihood calibration, on log-ratios to the reference.
 *
 * <pre>  max(0, 1 − β·(log π(c)/ref(c) − log π(r)/ref(r)))  </pre>
 *
 * <p>Sources: Zhao et al. (2023), arXiv:2305.10425, equation 5; with the reference's ratio and β Liu et al. (2023),
 * arXiv:2309.06657, section 3.3 ("hinge-norm"). As in TRL.
 *
 * <p>Letters: c and r the chosen and the rejected answer.
 */
public final class Hinge extends AnswerPairs {
    private final double beta;

    /**
     * @param beta             β; a margin of 1/β costs nothing
     * @param supervisedWeight weight of the chosen answer's own loss, nats per token; 0 leaves it out
     */
    public Hinge(double beta, double supervisedWeight) {
        super(supervisedWeight);
        this.beta = Ranges.positive("beta", beta);
    }

    @Override
    public String name() {
        return "hinge";
    }

    @Override
    public boolean needsReference() {
        return true;
    }

    @Override
    Term term(Answer chosen, Answer rejected, Figures figures) {
        Margin loss = Margin.hinge(beta * (chosen.logRatio() - rejected.logRatio()));
        return Term.ofMargin(loss.loss(), loss.slope(), beta, beta);
    }

    @Override
    double reward(Answer answer) {
        return beta * answer.logRatio();
    }
}
