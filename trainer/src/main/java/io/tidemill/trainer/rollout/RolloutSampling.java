package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.Sampling;
import java.util.Set;

/**
 * How answers are drawn, as {@link Sampling} has it.
 *
 * @param stopTokens each of them ends an answer, and is the last token that is learned
 * @param atOnce     answers that share a pass over the weights; another number rounds sums otherwise and may give other
 *                   answers
 */
public record RolloutSampling(
        double temperature,
        double topP,
        int topK,
        double minP,
        double repetitionPenalty,
        int maxTokens,
        Set<Integer> stopTokens,
        int atOnce) {
    public RolloutSampling {
        stopTokens = Set.copyOf(stopTokens);
        new Sampling(temperature, topP, topK, minP, repetitionPenalty, maxTokens, 0, stopTokens); // checks them
        if (temperature == 0) {
            throw new IllegalArgumentException(
                    "Rollouts are drawn, so temperature must be above 0; with 0 all answers to a prompt are the same");
        }
        if (atOnce < 1) {
            throw new IllegalArgumentException("atOnce must be at least 1, but was " + atOnce);
        }
    }

    /** From the model's own distribution. */
    public static RolloutSampling plain(int maxTokens, Set<Integer> stopTokens) {
        return new RolloutSampling(1, 1, 0, 0, 1, maxTokens, stopTokens, 16);
    }

    /** Whether tokens are drawn with the probabilities that the model itself gives them. */
    boolean fromThePolicyItself() {
        return temperature == 1 && topP == 1 && topK == 0 && minP == 0 && repetitionPenalty == 1;
    }

    Sampling seeded(long seed) {
        return new Sampling(temperature, topP, topK, minP, repetitionPenalty, maxTokens, seed, stopTokens);
    }
}
