package io.tidemill.trainer.objective;

/**
 * Kahneman–Tversky optimisation: losses and gains against a reference point, the policy's divergence from the reference.
 *
 * <pre>  liked:     λ_D · (1 − σ(β·(r − z)))     r = log π(y|x) / ref(y|x)
 *   disliked:  λ_U · (1 − σ(β·(z − r)))     z = KL(π, ref), not below 0, a constant  </pre>
 *
 * <p>Source: Ethayarajh et al. (2024), arXiv:2402.01306, equations 7 and 8. As TRL's KTOTrainer, which leaves out the
 * paper's constant λ.
 */
public final class Kto extends RatedAnswers {
    private final double desirableWeight;
    private final double undesirableWeight;

    /**
     * @param beta              β, how strongly the reference holds; the paper uses 0.1
     * @param desirableWeight   λ_D; where kinds are unequal in number, λ_D·n_D / (λ_U·n_U) is to lie between 1 and 4/3
     * @param undesirableWeight λ_U
     */
    public Kto(double beta, double desirableWeight, double undesirableWeight) {
        super(beta);
        this.desirableWeight = Ranges.notNegative("desirable-weight", desirableWeight);
        this.undesirableWeight = Ranges.notNegative("undesirable-weight", undesirableWeight);
    }

    @Override
    public String name() {
        return "kto";
    }

    @Override
    public boolean needsMismatched() {
        return true;
    }

    @Override
    Term term(double reward, boolean desirable, double divergence) {
        double gain = desirable ? reward - divergence : divergence - reward;
        double weight = desirable ? desirableWeight : undesirableWeight;
        double slope = weight * Logistic.sigmoid(gain) * Logistic.sigmoid(-gain);
        return new Term(weight * Logistic.sigmoid(-gain), desirable ? -slope : slope);
    }
}
