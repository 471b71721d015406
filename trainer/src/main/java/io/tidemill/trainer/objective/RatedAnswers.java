package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.Arrays;
import java.util.List;

/**
 * What objectives over single ratings have in common: weights and figures.
 *
 * <pre>  Σ weight · loss(answer) / W  </pre>
 *
 * <p>Differs from TRL, which takes the mean of its losses; both agree where all weights are 1.
 *
 * <p>Figures, means over the answers: {@code rewards_chosen} and {@code log_probability_chosen} (nats) of those that were
 * liked, {@code rewards_rejected} and {@code log_probability_rejected} of the others, {@code reward_margin} the difference
 * of the rewards. An answer of weight 0 is in none.
 */
abstract class RatedAnswers implements RatingObjective {
    private static final String LIKED = "rewards_chosen";
    private static final String DISLIKED = "rewards_rejected";

    private final double beta;

    /** @param beta β, how strongly the reference holds */
    RatedAnswers(double beta) {
        this.beta = Ranges.positive("beta", beta);
    }

    /**
     * What one answer gives.
     *
     * @param loss  of the answer
     * @param slope d loss / d reward
     */
    record Term(double loss, double slope) {}

    /**
     * Of one answer.
     *
     * @param reward     β · log(π / reference)
     * @param divergence β · KL(policy, reference)
     */
    abstract Term term(double reward, boolean desirable, double divergence);

    /** Sees the rewards of a call before any answer of it is judged. */
    void see(double[] rewards) {}

    /** Logs what an objective has beside rewards, once a call. */
    void report(Figures figures) {}

    @Override
    public final double evaluate(
            AnswerCall call, List<RatedAnswer> answers, double divergence, double weightOfStep, Figures figures) {
        Calls.checkTexts(call, answers.size());
        Calls.checkAnswers(call, 1);
        Ranges.positive("weightOfStep", weightOfStep);
        Ranges.notNegative("divergence", divergence);
        double[] rewards = new double[call.size()];
        for (int f = 0; f < rewards.length; f++) {
            rewards[f] =
                    beta * Answer.of(call, f, 0, answers.get(f).reference()).logRatio();
        }
        see(counted(rewards, answers));
        report(figures);
        double sum = 0;
        for (int f = 0; f < rewards.length; f++) {
            RatedAnswer answer = answers.get(f);
            if (answer.weight() == 0) {
                continue;
            }
            Term term = term(rewards[f], answer.desirable(), beta * divergence);
            double share = answer.weight() / weightOfStep;
            sum += share * term.loss();
            call.addSlope(f, 0, share * term.slope() * beta);
            figures.add(answer.desirable() ? LIKED : DISLIKED, rewards[f]);
            figures.add(
                    answer.desirable() ? "log_probability_chosen" : "log_probability_rejected",
                    call.logProbability(f, 0));
        }
        figures.difference("reward_margin", LIKED, DISLIKED);
        return sum;
    }

    private static double[] counted(double[] rewards, List<RatedAnswer> answers) {
        double[] counted = new double[rewards.length];
        int n = 0;
        for (int f = 0; f < rewards.length; f++) {
            if (answers.get(f).weight() > 0) {
                counted[n++] = rewards[f];
            }
        }
        return Arrays.copyOf(counted, n);
    }
}
