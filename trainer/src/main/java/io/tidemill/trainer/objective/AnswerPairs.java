package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/**
 * What objectives over the log-probabilities of two answers have in common: weights, the chosen answer's own loss, and
 * figures.
 *
 * <pre>  Σ weight · (loss(chosen, rejected) + s · NLL(chosen)/|chosen|) / W  </pre>
 *
 * <p>The term with s as in Pang et al. (2024), arXiv:2404.19733, equation 2. Differs from TRL, which takes the mean of the
 * unweighted losses, and as the second term the mean over all chosen tokens of its batch, in which longer answers count for
 * more; both agree where the chosen answers are of one length.
 *
 * <p>Figures, means over the pairs: {@code rewards_chosen} and {@code rewards_rejected}, what the objective takes as an
 * answer's reward; {@code reward_margin}, their difference; {@code accuracy}, the share of pairs whose difference is above 0;
 * {@code log_probability_chosen} and {@code log_probability_rejected}; with s {@code supervised_loss}, nats per token. A
 * pair of weight 0 is in none.
 */
abstract class AnswerPairs implements PairObjective {
    /**
     * What one pair gives.
     *
     * @param loss          nats, or what the objective measures in
     * @param chosenSlope   d loss / d log π(chosen), the whole answer's
     * @param rejectedSlope d loss / d log π(rejected)
     */
    record Term(double loss, double chosenSlope, double rejectedSlope) {
        /** Of a loss that depends on β times the difference of the two answers' means or sums alone. */
        static Term ofMargin(double loss, double slope, double chosenFactor, double rejectedFactor) {
            return new Term(loss, slope * chosenFactor, -slope * rejectedFactor);
        }
    }

    private final double supervisedWeight;

    /** @param supervisedWeight s; 0 leaves the term out */
    AnswerPairs(double supervisedWeight) {
        this.supervisedWeight = Ranges.notNegative("supervised-weight", supervisedWeight);
    }

    /** The preference alone. */
    abstract Term term(Answer chosen, Answer rejected, Figures figures);

    /** What the objective takes as an answer's reward. */
    abstract double reward(Answer answer);

    /** What the objective takes as an answer's log-probability: the sum, unless it says otherwise; nats. */
    double logProbability(Answer answer) {
        return answer.logProbability();
    }

    @Override
    public final double evaluate(AnswerCall call, List<JudgedPair> pairs, double weightOfStep, Figures figures) {
        Calls.checkPairs(call, pairs.size());
        Ranges.positive("weightOfStep", weightOfStep);
        double sum = 0;
        for (int f = 0; f < call.size(); f++) {
            JudgedPair judged = pairs.get(f);
            if (judged.weight() == 0) {
                continue;
            }
            Answer chosen = Answer.of(call, f, 0, judged.referenceChosen());
            Answer rejected = Answer.of(call, f, 1, judged.referenceRejected());
            Term term = term(chosen, rejected, figures);
            double share = judged.weight() / weightOfStep;
            sum += share * (term.loss() - supervisedWeight * chosen.mean());
            call.addSlope(f, 0, share * (term.chosenSlope() - supervisedWeight / chosen.tokens()));
            call.addSlope(f, 1, share * term.rejectedSlope());
            report(chosen, rejected, figures);
        }
        return sum;
    }

    private void report(Answer chosen, Answer rejected, Figures figures) {
        PairFigures.rewards(figures, reward(chosen), reward(rejected));
        figures.add("log_probability_chosen", logProbability(chosen));
        figures.add("log_probability_rejected", logProbability(rejected));
        if (supervisedWeight != 0) {
            figures.add("supervised_loss", -chosen.mean());
        }
    }
}
