package io.tidemill.feedback.answer;

import java.util.List;

/**
 * How an answer is drawn.
 *
 * @param temperature 0 takes the most likely token each time
 * @param topP        share of the probability that stays eligible; 1 keeps all
 * @param topK        number of tokens that stay eligible; 0 keeps all
 * @param minP        tokens stay eligible that are at least this fraction as likely as the most likely one; 0 keeps all
 * @param repetitionPenalty makes tokens that prompt or answer have less likely; 1 changes nothing
 * @param maxTokens   longest answer, in tokens
 * @param seed        gives the same answer again if no other is written at the same time
 * @param stop        texts that end the answer and are not part of it
 */
public record AnswerSettings(
        double temperature,
        double topP,
        int topK,
        double minP,
        double repetitionPenalty,
        int maxTokens,
        long seed,
        List<String> stop) {
    public AnswerSettings {
        stop = List.copyOf(stop);
    }

    /** The same for another choice of the same question. */
    public AnswerSettings forChoice(int choice) {
        return new AnswerSettings(temperature, topP, topK, minP, repetitionPenalty, maxTokens, seed + choice, stop);
    }

    /** The same with no longer an answer than there is room for. Unit: tokens. */
    public AnswerSettings atMost(int tokens) {
        return new AnswerSettings(
                temperature, topP, topK, minP, repetitionPenalty, Math.min(maxTokens, tokens), seed, stop);
    }
}
