package io.tidemill.trainer.objective;

/**
 * Anchored preference optimisation on single ratings: liked answers become likelier than under the reference, disliked ones
 * less likely. For liked answers that are better than what the model gives by itself.
 *
 * <pre>  liked:  1 − σ(β·r)     disliked:  σ(β·r)     r = log π(y|x) / ref(y|x)  </pre>
 *
 * <p>Source: D'Oosterlinck et al. (2024), arXiv:2408.06266, equation 7 ("APO-zero"), taken apart into single answers as TRL's
 * {@code apo_zero_unpaired} does.
 */
public final class ApoZeroUnpaired extends RatedAnswers {
    private final double desirableWeight;
    private final double undesirableWeight;

    /**
     * @param beta              β, how strongly the reference holds
     * @param desirableWeight   of answers that were liked
     * @param undesirableWeight of the others
     */
    public ApoZeroUnpaired(double beta, double desirableWeight, double undesirableWeight) {
        super(beta);
        this.desirableWeight = Ranges.notNegative("desirable-weight", desirableWeight);
        this.undesirableWeight = Ranges.notNegative("undesirable-weight", undesirableWeight);
    }

    @Override
    public String name() {
        return "apo-zero-unpaired";
    }

    @Override
    public boolean needsMismatched() {
        return false;
    }

    @Override
    Term term(double reward, boolean desirable, double divergence) {
        double slope = Logistic.sigmoid(reward) * Logistic.sigmoid(-reward);
        return desirable
                ? new Term(desirableWeight * Logistic.sigmoid(-reward), -desirableWeight * slope)
                : new Term(undesirableWeight * Logistic.sigmoid(reward), undesirableWeight * slope);
    }
}
