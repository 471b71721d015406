package io.tidemill.model.engine;

import java.util.List;

/**
 * A prompt and what was answered to it, tokenized: one answer, a pair, or a whole group. The answers share the prompt as
 * their prefix, which the model reads once; none sees another.
 *
 * @param prompt  at least one token
 * @param answers at least one, each of at least one token, its end of turn included where it has one
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; copying token ids would cost more than it guards
public record PromptAnswers(int[] prompt, List<int[]> answers) {
    public PromptAnswers {
        answers = List.copyOf(answers);
        if (prompt.length == 0 || answers.isEmpty()) {
            throw new IllegalArgumentException("A prompt of at least one token and at least one answer are needed, but"
                    + " there are " + prompt.length + " tokens and " + answers.size() + " answers");
        }
        for (int[] answer : answers) {
            if (answer.length == 0) {
                throw new IllegalArgumentException("An answer of no tokens cannot be scored");
            }
        }
    }

    /** Tokens of the prompt with its longest answer. */
    public int longest() {
        return prompt.length
                + answers.stream().mapToInt(answer -> answer.length).max().orElse(0);
    }

    /** Tokens of all answers. */
    public long answerTokens() {
        return answers.stream().mapToLong(answer -> answer.length).sum();
    }
}
