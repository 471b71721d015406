package io.tidemill.trainer.stage;

import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.trainer.data.PairExample;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A preference as tokens.
 *
 * @param prompt   rendered by the chat template, up to where the answer begins
 * @param chosen   answer with its end of turn
 * @param rejected answer with its end of turn
 * @param margin   by how much the chosen one is better, where somebody said; else 0
 */
public record TokenizedPair(
        String exampleId, int[] prompt, int[] chosen, int[] rejected, double weight, double margin) {
    public static TokenizedPair of(PairExample pair, ChatEncoder encoder) {
        return new TokenizedPair(
                pair.exampleId(),
                encoder.prompt(pair.prompt()),
                encoder.answer(pair.chosen()),
                encoder.answer(pair.rejected()),
                pair.weight(),
                0);
    }

    /** Chosen, then rejected. */
    public PromptAnswers promptAnswers() {
        return new PromptAnswers(prompt, List.of(chosen, rejected));
    }

    /** Tokens of the longer of the two whole texts. */
    public int length() {
        return prompt.length + Math.max(chosen.length, rejected.length);
    }

    /** Prompt and chosen answer, then prompt and rejected answer. */
    public List<int[]> texts() {
        return List.of(join(prompt, chosen), join(prompt, rejected));
    }

    /** Texts of many pairs, in order. */
    public static List<int[]> texts(List<TokenizedPair> pairs) {
        List<int[]> texts = new ArrayList<>();
        pairs.forEach(pair -> texts.addAll(pair.texts()));
        return texts;
    }

    /** Sum over the answer's tokens, of the log-probabilities of a whole text; nats. */
    public double answerLogProbability(float[] logProbabilities) {
        return IntStream.range(prompt.length - 1, logProbabilities.length)
                .mapToDouble(index -> logProbabilities[index])
                .sum();
    }

    private static int[] join(int[] first, int[] second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }
}
