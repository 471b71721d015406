package io.tidemill.model.engine;

import java.util.Set;

/**
 * How the next token is chosen, and when to end. What is left of the tokens after {@code topK}, then {@code topP}, then
 * {@code minP} is drawn from by its probability; the most likely token is always left.
 *
 * @param temperature       0 takes the most likely token; otherwise logits are divided by it
 * @param topP              keeps the smallest set of tokens that holds this share of the probability; 1 keeps all (Holtzman
 *                          et al. 2020, arXiv:1904.09751)
 * @param topK              keeps this many most likely tokens; 0 keeps all
 * @param minP              keeps tokens at least this fraction as likely as the most likely one; 0 keeps all (Nguyen et al.
 *                          2024, arXiv:2407.01082)
 * @param repetitionPenalty before everything else, positive logits of tokens that prompt or answer have are divided by it
 *                          and negative ones multiplied; 1 changes nothing (Keskar et al. 2019, arXiv:1909.05858, section
 *                          4.1, with negative logits as transformers treats them)
 * @param maxTokens         at most so many tokens are made
 * @param seed              the same seed, model and prompt give the same tokens, as long as the answer is written alone
 * @param stopTokens        each of them ends the answer and is not part of it
 */
public record Sampling(
        double temperature,
        double topP,
        int topK,
        double minP,
        double repetitionPenalty,
        int maxTokens,
        long seed,
        Set<Integer> stopTokens) {
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
        if (!(minP >= 0 && minP <= 1)) {
            throw new IllegalArgumentException("minP must be between 0 (all) and 1, but was " + minP);
        }
        if (!(repetitionPenalty > 0) || Double.isInfinite(repetitionPenalty)) {
            throw new IllegalArgumentException(
                    "repetitionPenalty must be above 0 (1 changes nothing) and finite, but was " + repetitionPenalty);
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("maxTokens must be at least 1, but was " + maxTokens);
        }
        stopTokens = Set.copyOf(stopTokens);
    }

    /** Without {@code minP} and {@code repetitionPenalty}. */
    public Sampling(double temperature, double topP, int topK, int maxTokens, long seed, Set<Integer> stopTokens) {
        this(temperature, topP, topK, 0, 1, maxTokens, seed, stopTokens);
    }

    /** Always the most likely token. */
    public static Sampling greedy(int maxTokens, Set<Integer> stopTokens) {
        return new Sampling(0, 1, 0, maxTokens, 0, stopTokens);
    }

    Sampling withSeed(long other) {
        return new Sampling(temperature, topP, topK, minP, repetitionPenalty, maxTokens, other, stopTokens);
    }
}
