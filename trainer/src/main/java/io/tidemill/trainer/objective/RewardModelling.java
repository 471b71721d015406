package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/**
 * A reward model learns from pairs as Bradley and Terry model them.
 *
 * <pre>  −log σ(s(c) − s(r) − m) + k·(s(c) + s(r))²  </pre>
 *
 * <p>Sources: Ouyang et al. (2022), arXiv:2203.02155, equation 1; the margin m as in Touvron et al. (2023), "Llama 2",
 * arXiv:2307.09288, equation 2; centring with k as in Eisenstein et al. (2023), arXiv:2312.09244, equation 2, since a pair says
 * nothing about the sum of its scores. As in TRL, but for the weight per pair: Σ weight · loss / weight of the step.
 *
 * <p>Letters: c and r the chosen and the rejected answer, s the score after an answer's last token.
 *
 * <p>Figures as {@link AnswerPairs} has them, with scores as rewards; and {@code reward_mean}, {@code reward_lowest} and
 * {@code reward_highest} of all scores.
 */
public final class RewardModelling implements PairObjective {
    private final double centring;

    /** @param centring k; 0 leaves it out, the paper uses 0.01 */
    public RewardModelling(double centring) {
        this.centring = Ranges.notNegative("centring", centring);
    }

    @Override
    public String name() {
        return "reward";
    }

    @Override
    public boolean needsReference() {
        return false;
    }

    @Override
    public boolean learnsScores() {
        return true;
    }

    @Override
    public double evaluate(AnswerCall call, List<JudgedPair> pairs, double weightOfStep, Figures figures) {
        Calls.checkPairs(call, pairs.size());
        Ranges.positive("weightOfStep", weightOfStep);
        double sum = 0;
        for (int f = 0; f < call.size(); f++) {
            JudgedPair judged = pairs.get(f);
            if (judged.weight() == 0) {
                continue;
            }
            double chosen = score(call, f, 0);
            double rejected = score(call, f, 1);
            double share = judged.weight() / weightOfStep;
            double both = chosen + rejected;
            Margin margin = Margin.logistic(chosen - rejected - judged.margin(), 0);
            sum += share * (margin.loss() + centring * both * both);
            addScoreSlope(call, f, 0, share * (margin.slope() + 2 * centring * both));
            addScoreSlope(call, f, 1, share * (-margin.slope() + 2 * centring * both));
            report(chosen, rejected, figures);
        }
        return sum;
    }

    private static double score(AnswerCall call, int f, int a) {
        if (call.values(f, a).length == 0) {
            throw new IllegalArgumentException("Answer " + a + " of text " + f
                    + " has no score. A reward model needs a head of one score: begin with a model that has one");
        }
        return call.score(f, a);
    }

    private static void addScoreSlope(AnswerCall call, int f, int a, double slope) {
        double[] slopes = call.valueSlopes(f, a);
        slopes[slopes.length - 1] += slope;
    }

    private static void report(double chosen, double rejected, Figures figures) {
        PairFigures.rewards(figures, chosen, rejected);
        for (double score : new double[] {chosen, rejected}) {
            figures.add("reward_mean", score);
            figures.lowest("reward_lowest", score);
            figures.highest("reward_highest", score);
        }
    }
}
