package io.tidemill.trainer.objective;

import java.util.Map;

/**
 * Binary classifier optimisation: the reward is the logit of a classifier of liked and disliked answers, moved by the mean
 * reward so far.
 *
 * <pre>  liked:  −log σ(β·r − δ)     disliked:  −log σ(δ − β·r)     r = log π(y|x) / ref(y|x)
 *   δ: running mean of β·r over all answers seen, those of this call included  </pre>
 *
 * <p>δ moves from call to call, as TRL's from batch to batch: how many answers share a call changes more than rounding here.
 *
 * <p>Figures: δ is logged as {@code delta}, the mean over the calls of a step, as in TRL.
 *
 * <p>Source: Jung et al. (2024), arXiv:2404.04656, equation 11. As TRL's BCOTrainer, whose running mean is kept in float32.
 * Left out: the weights of section 4.2, by which prompts of disliked answers are made to look like those of liked ones.
 */
public final class Bco extends RatedAnswers {
    private static final String MEAN = "bco_reward_mean";
    private static final String SEEN = "bco_rewards_seen";

    private double mean;
    private double seen;

    /** @param beta β, how strongly the reference holds */
    public Bco(double beta) {
        super(beta);
    }

    @Override
    public String name() {
        return "bco";
    }

    @Override
    public boolean needsMismatched() {
        return false;
    }

    @Override
    void see(double[] rewards) {
        for (double reward : rewards) {
            seen++;
            mean += (reward - mean) / seen;
        }
    }

    @Override
    void report(Figures figures) {
        figures.add("delta", mean);
    }

    @Override
    Term term(double reward, boolean desirable, double divergence) {
        double gain = desirable ? reward - mean : mean - reward;
        double slope = Logistic.sigmoid(-gain);
        return new Term(-Logistic.logSigmoid(gain), desirable ? -slope : slope);
    }

    @Override
    public Map<String, Double> memory() {
        return Map.of(MEAN, mean, SEEN, seen);
    }

    @Override
    public void restore(Map<String, Double> memory) {
        mean = memory.getOrDefault(MEAN, 0.0);
        seen = memory.getOrDefault(SEEN, 0.0);
    }
}
