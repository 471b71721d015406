package io.tidemill.model.engine;

import java.util.Set;

/**
 * How the next token is chosen, and when to end.
 *
 * @param temperature 0 takes the most likely token; otherwise logits are divided by it
 * @param topP        keeps the smallest set of tokens that holds this share of the probability; 1 keeps all
 * @param topK        keeps this many most likely tokens, before topP; 0 keeps all
 * @param maxTokens   at most so many tokens are made
 * @param seed        the same seed, model and prompt give the same tokens
 * @param stopTokens  each of them ends the answer and is not part of it
 */
public record Sampling(double temperature, double topP, int topK, int maxTokens, long seed, Set<Integer> stopTokens) {
    public Sampling {
        if (!(temperature >= 0) || Double.isInfinite(temperature)) {
            throw new IllegalArgumentException("temperature must be 0 or more and finite, but was " + temperature);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("topP must be above 0 and at most 1, but was " + topP);
        }
        if (topK < 0) {
            throw new IllegalArgumentException("topK must be 0 (all) or more, but was " + topK);
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("maxTokens must be at least 1, but was " + maxTokens);
        }
        stopTokens = Set.copyOf(stopTokens);
    }

    /** Always the most likely token. */
    public static Sampling greedy(int maxTokens, Set<Integer> stopTokens) {
        return new Sampling(0, 1, 0, maxTokens, 0, stopTokens);
    }
}
