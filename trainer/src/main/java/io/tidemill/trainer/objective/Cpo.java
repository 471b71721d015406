package io.tidemill.trainer.objective;

import java.util.Locale;

/**
 * Contrastive preference optimisation: DPO with a uniform reference, beside the chosen answer's own loss.
 *
 * <pre>  sigmoid: −(1 − ε)·log σ(z) − ε·log σ(−z)      hinge: max(0, 1 − z)
 *   z = β·(log π(c) − log π(r))  </pre>
 *
 * <p>Source: Xu et al. (2024), arXiv:2401.08417, equation 3 and, for the chosen answer's loss, which is not optional there,
 * equation 5; hinge and ε as in TRL. Differs: see {@link AnswerPairs} on how that loss is averaged.
 *
 * <p>Letters: c and r the chosen and the rejected answer.
 */
public final class Cpo extends AnswerPairs {
    /** What becomes of the margin. */
    public enum Loss {
        SIGMOID,
        HINGE;

        static Loss of(String name) {
            return valueOf(name.toUpperCase(Locale.ROOT));
        }
    }

    private final Loss loss;
    private final double beta;
    private final double labelSmoothing;

    /**
     * @param beta             β
     * @param labelSmoothing   ε, how likely a preference is taken to be the wrong way round; below 0.5, and 0 with the hinge
     * @param supervisedWeight weight of the chosen answer's own loss, nats per token; the paper uses 1
     */
    public Cpo(Loss loss, double beta, double labelSmoothing, double supervisedWeight) {
        super(supervisedWeight);
        this.loss = loss;
        this.beta = Ranges.positive("beta", beta);
        this.labelSmoothing = Ranges.smoothing("label-smoothing", labelSmoothing);
        if (loss == Loss.HINGE && labelSmoothing != 0) {
            throw new IllegalArgumentException(
                    "label-smoothing must be 0 with the hinge loss, which has none, but was " + labelSmoothing);
        }
    }

    @Override
    public String name() {
        return "cpo";
    }

    @Override
    public boolean needsReference() {
        return false;
    }

    @Override
    Term term(Answer chosen, Answer rejected, Figures figures) {
        double z = beta * (chosen.logProbability() - rejected.logProbability());
        Margin margin = loss == Loss.HINGE ? Margin.hinge(z) : Margin.logistic(z, labelSmoothing);
        return Term.ofMargin(margin.loss(), margin.slope(), beta, beta);
    }

    @Override
    double reward(Answer answer) {
        return beta * answer.logProbability();
    }
}
