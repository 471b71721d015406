package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/**
 * Proximal policy optimisation with a critic on the policy's trunk.
 *
 * <pre>  mean over tokens of  −min(ρ_t·A_t, clip(ρ_t, 1 − ε, 1 + ε)·A_t)
 *                      + c/2 · max((V_t − R_t)², (clip(V_t, V_old ± ε_V) − R_t)²)  </pre>
 *
 * <p>Source: Schulman et al. (2017), arXiv:1707.06347, equations 7 and 9; clipped values and tokens as actions as in Ouyang
 * et al. (2022), arXiv:2203.02155, and in what TRL had until 2026: c is its {@code vf_coef}. A is {@link GeneralisedAdvantage},
 * whitened; the divergence from the reference is part of the rewards, {@link KlPenalty}.
 *
 * <p>Figures, means over tokens: {@code clip_fraction}, {@code approximate_kl} (k3 to the old policy), {@code ratio},
 * {@code policy_loss}, {@code value_loss}, {@code value_clip_fraction}, {@code value}.
 */
public final class Ppo implements PolicyObjective {
    private final ClippedTokens tokens;
    private final double valueClip;
    private final double valueWeight;

    /**
     * @param valueClip   ε_V
     * @param valueWeight c
     */
    Ppo(Clip clip, double valueClip, double valueWeight) {
        this.tokens = new ClippedTokens(clip);
        this.valueClip = Ranges.positive("value-clip", valueClip);
        this.valueWeight = Ranges.notNegative("value-weight", valueWeight);
    }

    @Override
    public String name() {
        return "ppo";
    }

    @Override
    public boolean needsReference() {
        return false;
    }

    @Override
    public boolean needsValues() {
        return true;
    }

    @Override
    public double evaluate(AnswerCall call, List<List<SampledAnswer>> answers, Step step, Figures figures) {
        double policy = tokens.evaluate(call, answers, step, figures);
        double value = 0;
        long here = 0;
        for (int f = 0; f < call.size(); f++) {
            for (int a = 0; a < call.answers(f); a++) {
                SampledAnswer answer = answers.get(f).get(a);
                value += values(call.values(f, a), call.valueSlopes(f, a), answer, step, figures);
                here += answer.sampled().length;
            }
        }
        if (here > 0) {
            figures.add("policy_loss", policy * step.tokens() / here, here);
        }
        return policy + valueWeight * value;
    }

    private double values(double[] said, double[] slopes, SampledAnswer answer, Step step, Figures figures) {
        int n = answer.sampled().length;
        if (said.length != n + 1 || answer.oldValues().length != n) {
            throw new IllegalArgumentException("PPO needs a critic: an answer of " + n + " tokens has " + said.length
                    + " values and " + answer.oldValues().length + " old ones. Its model needs a value head");
        }
        double sum = 0;
        for (int t = 0; t < n; t++) {
            double old = answer.oldValues()[t];
            double clipped = Math.min(old + valueClip, Math.max(old - valueClip, said[t]));
            double plain = said[t] - answer.returns()[t];
            double bounded = clipped - answer.returns()[t];
            boolean first = plain * plain >= bounded * bounded;
            double error = first ? plain : bounded;
            double loss = error * error / 2;
            sum += loss / step.tokens();
            slopes[t] += first ? valueWeight * error / step.tokens() : 0;
            figures.add("value_loss", loss);
            figures.add("value_clip_fraction", first ? 0 : 1);
            figures.add("value", said[t]);
        }
        return sum;
    }
}
