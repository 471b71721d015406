package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.trainer.reward.Rewards;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a rollout stage works with. All of it stays open and belongs to the caller.
 *
 * @param rewards   what is learned from
 * @param heldOut   what is not: the guard's second opinion
 * @param reference the model that the policy is held to; empty measures no divergence
 * @param text      an answer's tokens without its end, as text
 * @param policy    a copy of the learner's weights that can answer; closed after use
 * @param store     where rollouts are kept
 */
public record RolloutTools(
        Rewards rewards,
        Optional<Rewards> heldOut,
        Optional<Reference> reference,
        Function<int[], String> text,
        Function<DecoderLearner, LanguageModel> policy,
        RolloutStore store) {

    /**
     * The weights of a learner as a model, computing as the learner does. Generation reads whole weights, so an adapter is
     * merged into a copy of its base, which is there only while answers are drawn.
     */
    public static LanguageModel policyOf(DecoderLearner learner) {
        if (learner instanceof TrainableModel model) {
            return model.snapshot(model.computeType());
        }
        if (learner instanceof TrainableAdapter adapter) {
            try (LoraAdapter now = adapter.snapshot()) {
                return now.mergedInto(adapter.base());
            }
        }
        throw new IllegalArgumentException("Answers are drawn from a model or an adapter, but what learns is a "
                + learner.getClass().getName());
    }
}
