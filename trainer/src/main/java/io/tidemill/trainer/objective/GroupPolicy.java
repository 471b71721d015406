package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What GRPO and those that came of it have in common: a clipped ratio a token, the advantage of the answer, and the
 * divergence from a reference as part of the loss.
 *
 * <pre>  L_t = −min(min(ρ_t, u)·A_t, clip(ρ_t, 1 − ε_low, 1 + ε_high)·A_t) + β·k3_t   or   … + β·ρ_t·k3_t
 *   ρ_t = π(t)/π_old(t),   k3_t = ref(t)/π(t) − log(ref(t)/π(t)) − 1  </pre>
 *
 * <p>k3: Schulman, "Approximating KL divergence" (2020). Where answers that were cut off are masked, they count as answers of
 * the step, not as tokens, as in TRL.
 *
 * <p>Figures, means over tokens (GSPO: over answers): {@code clip_fraction_low}, {@code clip_fraction_high},
 * {@code clip_fraction}; {@code ratio}; over tokens with β {@code kl}, k3 to the reference, times the ratio where it is corrected; {@code approximate_kl}, k3 to the
 * old policy.
 */
abstract class GroupPolicy implements PolicyObjective {
    private final Clip clip;
    private final DivergencePenalty penalty;
    private final boolean masksTruncated;

    /**
     * @param clip           bounds of the ratio
     * @param penalty        for divergence from the reference
     * @param masksTruncated whether answers that were cut off are not learned from
     */
    GroupPolicy(Clip clip, DivergencePenalty penalty, boolean masksTruncated) {
        this.clip = clip;
        this.penalty = penalty;
        this.masksTruncated = masksTruncated;
    }

    /** What the losses of an answer's n tokens are divided by. */
    abstract double divisor(int n, Step step);

    /** Whether the whole answer has one ratio. */
    boolean ratioOfAnswer() {
        return false;
    }

    final long tokens(Step step) {
        return masksTruncated ? step.wholeTokens() : step.tokens();
    }

    @Override
    public final boolean needsReference() {
        return penalty.beta() > 0;
    }

    @Override
    public final double evaluate(AnswerCall call, List<List<SampledAnswer>> answers, Step step, Figures figures) {
        Calls.checkSampled(call, answers);
        double sum = 0;
        for (int f = 0; f < call.size(); f++) {
            for (int a = 0; a < call.answers(f); a++) {
                SampledAnswer answer = answers.get(f).get(a);
                if (masksTruncated && answer.truncated()) {
                    continue;
                }
                int n = answer.sampled().length;
                double share = 1 / divisor(n, step);
                double[] slopes = call.logProbabilitySlopes(f, a);
                double[] said = call.logProbabilities(f, a);
                sum += share
                        * (ratioOfAnswer()
                                ? together(answer, said, slopes, share, figures)
                                : apart(answer, said, slopes, share, figures));
                sum += share * held(answer, said, slopes, share, figures);
            }
        }
        return sum;
    }

    private double apart(SampledAnswer answer, double[] said, double[] slopes, double share, Figures figures) {
        double sum = 0;
        for (int t = 0; t < said.length; t++) {
            double ratio = ratio(answer, said, t);
            Clip.Term term = clip.of(ratio, answer.advantages()[t]);
            sum += term.loss();
            slopes[t] += share * term.slope() * ratio;
            report(term, ratio, figures);
        }
        return sum;
    }

    private double together(SampledAnswer answer, double[] said, double[] slopes, double share, Figures figures) {
        int n = said.length;
        double ratio = ratio(answer, said);
        double sum = 0;
        double slope = 0;
        for (int t = 0; t < n; t++) {
            Clip.Term term = clip.of(ratio, answer.advantages()[t]);
            sum += term.loss();
            slope += term.slope();
        }
        for (int t = 0; t < n; t++) {
            slopes[t] += share * slope * ratio / n;
        }
        report(clip.of(ratio, answer.advantages()[0]), ratio, figures);
        return sum;
    }

    private double held(SampledAnswer answer, double[] said, double[] slopes, double share, Figures figures) {
        int n = said.length;
        for (int t = 0; t < n; t++) {
            figures.add("approximate_kl", Divergence.k3(said[t], answer.sampled()[t]));
        }
        if (penalty.beta() == 0) {
            return 0;
        }
        double weight = share * penalty.beta();
        double ofAnswer = ratioOfAnswer() ? ratio(answer, said) : 0;
        double sum = 0;
        for (int t = 0; t < n; t++) {
            double ratio = !penalty.corrected() ? 1 : ratioOfAnswer() ? ofAnswer : ratio(answer, said, t);
            double kl = ratio * Divergence.k3(said[t], answer.reference()[t]);
            slopes[t] += weight * ratio * (1 - Math.exp(answer.reference()[t] - said[t]));
            if (penalty.corrected() && !ratioOfAnswer()) {
                slopes[t] += weight * kl;
            }
            sum += kl;
            figures.add("kl", kl);
        }
        if (penalty.corrected() && ratioOfAnswer()) { // each token moves the ratio of them all
            for (int t = 0; t < n; t++) {
                slopes[t] += weight * sum / n;
            }
        }
        return penalty.beta() * sum;
    }

    private static double ratio(SampledAnswer answer, double[] said, int t) {
        return Math.exp(said[t] - answer.sampled()[t]);
    }

    /** The geometric mean of the tokens' ratios. */
    private static double ratio(SampledAnswer answer, double[] said) {
        double log = 0;
        for (int t = 0; t < said.length; t++) {
            log += (said[t] - answer.sampled()[t]) / said.length;
        }
        return Math.exp(log);
    }

    private static void report(Clip.Term term, double ratio, Figures figures) {
        figures.add("clip_fraction_low", term.low() ? 1 : 0);
        figures.add("clip_fraction_high", term.high() ? 1 : 0);
        figures.add("clip_fraction", term.low() || term.high() ? 1 : 0);
        figures.add("ratio", ratio);
    }

    /** @param upper empty where there is no bound */
    static Clip clip(double low, double high, OptionalDouble upper) {
        return new Clip(low, high, upper.orElse(Double.POSITIVE_INFINITY));
    }
}
