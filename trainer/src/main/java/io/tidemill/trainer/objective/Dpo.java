package io.tidemill.trainer.objective;

/**
 * Direct preference optimisation.
 *
 * <pre>  −(1 − ε)·log σ(z) − ε·log σ(−z),   z = β·(log π(c)/ref(c) − log π(r)/ref(r))
 *   length-normalised: z = β·(log π(c)/ref(c) / |c| − log π(r)/ref(r) / |r|)  </pre>
 *
 * <p>Sources: Rafailov et al. (2023), arXiv:2305.18290, equation 7; ε as in its appendix's conservative form (Mitchell, "A
 * note on DPO with noisy preferences", 2023); length-normalised as in Meng et al. (2024), arXiv:2405.14734, table 3 ("DPO
 * with length normalisation"), which TRL calls {@code sigmoid_norm}. Differs from TRL 1.13: there ε is not part of DPO's
 * sigmoid loss any more, only of CPO's, where it means the same.
 *
 * <p>Letters: c and r the chosen and the rejected answer, |c| and |r| their tokens.
 */
public final class Dpo extends AnswerPairs {
    private final double beta;
    private final double labelSmoothing;
    private final boolean lengthNormalised;

    /**
     * @param beta             β, how strongly the reference holds; the paper uses 0.1
     * @param labelSmoothing   ε, how likely a preference is taken to be the wrong way round; below 0.5
     * @param lengthNormalised whether log-ratios are divided by the answers' tokens; β is then 10 to 100 times larger
     * @param supervisedWeight weight of the chosen answer's own loss, nats per token; 0 leaves it out
     */
    public Dpo(double beta, double labelSmoothing, boolean lengthNormalised, double supervisedWeight) {
        super(supervisedWeight);
        this.beta = Ranges.positive("beta", beta);
        this.labelSmoothing = Ranges.smoothing("label-smoothing", labelSmoothing);
        this.lengthNormalised = lengthNormalised;
    }

    @Override
    public String name() {
        return "dpo";
    }

    @Override
    public boolean needsReference() {
        return true;
    }

    @Override
    Term term(Answer chosen, Answer rejected, Figures figures) {
        double chosenFactor = beta / (lengthNormalised ? chosen.tokens() : 1);
        double rejectedFactor = beta / (lengthNormalised ? rejected.tokens() : 1);
        double z = chosenFactor * chosen.logRatio() - rejectedFactor * rejected.logRatio();
        Margin loss = Margin.logistic(z, labelSmoothing);
        return Term.ofMargin(loss.loss(), loss.slope(), chosenFactor, rejectedFactor);
    }

    @Override
    double reward(Answer answer) {
        return beta * answer.logRatio();
    }
}
