package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/**
 * REINFORCE++: no critic, advantages by token with the divergence in the reward, normalised over the whole batch, and PPO's
 * clipping.
 *
 * <pre>  1/Σ_i n_i · Σ_i Σ_t −min(ρ_t·A_t, clip(ρ_t, 1 − ε, 1 + ε)·A_t)  </pre>
 *
 * <p>Source: Hu et al. (2025), arXiv:2501.03262, equations 5 to 8; {@link GlobalAdvantages} has A. Figures are means over
 * tokens.
 */
public final class ReinforcePlusPlus implements PolicyObjective {
    private final ClippedTokens tokens;

    ReinforcePlusPlus(Clip clip) {
        this.tokens = new ClippedTokens(clip);
    }

    @Override
    public String name() {
        return "reinforce-plus-plus";
    }

    @Override
    public boolean needsReference() {
        return false;
    }

    @Override
    public double evaluate(AnswerCall call, List<List<SampledAnswer>> answers, Step step, Figures figures) {
        return tokens.evaluate(call, answers, step, figures);
    }
}
