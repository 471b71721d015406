package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/**
 * REINFORCE leave-one-out: the answer as one action, its advantage against the other answers to the prompt.
 *
 * <pre>  1/B · Σ_i −min(ρ_i·A_i, clip(ρ_i, 1 − ε_low, 1 + ε_high)·A_i),   ρ_i = exp(Σ_t log π(t)/π_old(t))  </pre>
 *
 * <p>Source: Ahmadian et al., "Back to basics" (2024), arXiv:2402.14740, equation 8; the clipped ratio, 1 for rollouts of the
 * policy itself, as in TRL's RLOOTrainer. The divergence from the reference is part of the reward, {@link KlPenalty}.
 *
 * <p>A is the same for all tokens of an answer: {@link GroupAdvantages#leaveOneOut}. Figures are means over answers.
 */
public final class Rloo implements PolicyObjective {
    private final Clip clip;

    Rloo(Clip clip) {
        this.clip = clip;
    }

    @Override
    public String name() {
        return "rloo";
    }

    @Override
    public boolean needsReference() {
        return false;
    }

    @Override
    public double evaluate(AnswerCall call, List<List<SampledAnswer>> answers, Step step, Figures figures) {
        Calls.checkSampled(call, answers);
        double sum = 0;
        for (int f = 0; f < call.size(); f++) {
            for (int a = 0; a < call.answers(f); a++) {
                SampledAnswer answer = answers.get(f).get(a);
                double log = 0;
                for (int t = 0; t < answer.sampled().length; t++) {
                    log += call.logProbabilities(f, a)[t] - answer.sampled()[t];
                }
                double ratio = Math.exp(log);
                Clip.Term term = clip.of(ratio, answer.advantages()[0]);
                sum += term.loss() / step.answers();
                call.addSlope(f, a, term.slope() * ratio / step.answers());
                figures.add("clip_fraction_low", term.low() ? 1 : 0);
                figures.add("clip_fraction_high", term.high() ? 1 : 0);
                figures.add("clip_fraction", term.low() || term.high() ? 1 : 0);
                figures.add("ratio", ratio);
            }
        }
        return sum;
    }
}
