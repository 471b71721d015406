package io.tidemill.trainer.objective;

/**
 * Odds ratio preference optimisation: fine-tuning on the chosen answer, and a pull on the odds of the two.
 *
 * <pre>  NLL(c)/|c| − β·log σ(log odds(c) − log odds(r)),   odds(y) = p/(1 − p),  log p = log π(y)/|y|  </pre>
 *
 * <p>Source: Hong et al. (2024), arXiv:2403.07691, equations 6 and 7, where β is called λ. Differs from TRL, whose first
 * term is the mean over the tokens of prompts and chosen answers of its batch: here, as with every objective, prompts are
 * given and not learned, and each answer counts the same.
 *
 * <p>Letters: c and r the chosen and the rejected answer, |c| and |r| their tokens.
 *
 * <p>More figures: {@code log_odds_chosen}, the mean of log odds(c) − log odds(r), and {@code log_odds_ratio}, that of its
 * log σ. Log-probabilities are means per token.
 */
public final class Orpo extends AnswerPairs {
    private static final double CERTAIN = -1e-12; // log p of 0 has infinite odds

    private final double beta;

    /** @param beta λ, weight of the odds beside the chosen answer's own loss; the paper uses 0.1 */
    public Orpo(double beta) {
        super(1);
        this.beta = Ranges.positive("beta", beta);
    }

    @Override
    public String name() {
        return "orpo";
    }

    @Override
    public boolean needsReference() {
        return false;
    }

    @Override
    Term term(Answer chosen, Answer rejected, Figures figures) {
        double logOdds = logOdds(chosen) - logOdds(rejected);
        double logRatio = Logistic.logSigmoid(logOdds);
        figures.add("log_odds_chosen", logOdds);
        figures.add("log_odds_ratio", logRatio);
        double slope = -beta * Logistic.sigmoid(-logOdds);
        return Term.ofMargin(-beta * logRatio, slope, logOddsSlope(chosen), logOddsSlope(rejected));
    }

    private static double logOdds(Answer answer) {
        double logP = Math.min(answer.mean(), CERTAIN);
        return logP - Logistic.log1mExp(logP);
    }

    /** d log odds / d log π(answer): 1/(1 − p) for the mean, so that over |answer| for the sum. */
    private static double logOddsSlope(Answer answer) {
        return -1 / Math.expm1(Math.min(answer.mean(), CERTAIN)) / answer.tokens();
    }

    @Override
    double reward(Answer answer) {
        return beta * answer.mean();
    }

    @Override
    double logProbability(Answer answer) {
        return answer.mean();
    }
}
