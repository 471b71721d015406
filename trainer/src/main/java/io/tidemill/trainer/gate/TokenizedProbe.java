package io.tidemill.trainer.gate;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A probe as a model is asked it.
 *
 * @param question up to where the answer begins
 * @param choices  their tokens; empty where an answer is written
 */
record TokenizedProbe(OperatorProbe probe, Question question, List<int[]> choices) {
    TokenizedProbe {
        choices = List.copyOf(choices);
    }

    /** The whole texts whose likelihood is asked. */
    List<int[]> texts() {
        return choices.stream()
                .map(choice -> IntStream.concat(IntStream.of(question.prompt()), IntStream.of(choice))
                        .toArray())
                .toList();
    }

    /** Mean over the tokens of a choice; nats. */
    double perToken(float[] logProbabilities, int choice) {
        int from = question.prompt().length - 1;
        return IntStream.range(from, logProbabilities.length)
                        .mapToDouble(i -> logProbabilities[i])
                        .sum()
                / choices.get(choice).length;
    }
}
