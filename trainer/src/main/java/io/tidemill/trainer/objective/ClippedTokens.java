package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/** The clipped policy loss as a mean over all tokens of a step: Schulman et al. (2017), arXiv:1707.06347, equation 7. */
record ClippedTokens(Clip clip) {
    double evaluate(AnswerCall call, List<List<SampledAnswer>> answers, PolicyObjective.Step step, Figures figures) {
        Calls.checkSampled(call, answers);
        double sum = 0;
        for (int f = 0; f < call.size(); f++) {
            for (int a = 0; a < call.answers(f); a++) {
                SampledAnswer answer = answers.get(f).get(a);
                for (int t = 0; t < answer.sampled().length; t++) {
                    double said = call.logProbabilities(f, a)[t];
                    double ratio = Math.exp(said - answer.sampled()[t]);
                    Clip.Term term = clip.of(ratio, answer.advantages()[t]);
                    sum += term.loss() / step.tokens();
                    call.logProbabilitySlopes(f, a)[t] += term.slope() * ratio / step.tokens();
                    figures.add("clip_fraction", term.low() || term.high() ? 1 : 0);
                    figures.add("approximate_kl", Divergence.k3(said, answer.sampled()[t]));
                    figures.add("ratio", ratio);
                }
            }
        }
        return sum;
    }
}
