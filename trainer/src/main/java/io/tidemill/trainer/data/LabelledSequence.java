package io.tidemill.trainer.data;

import io.tidemill.proto.v1.TokenSequence;
import java.util.List;
import java.util.OptionalDouble;

/**
 * A text with what is right of it, in its producer's words.
 *
 * @param ids    tokens of the text alone {@code [n]}, n ≥ 1
 * @param labels empty where there is a score
 * @param weight 0 leaves the example out; any other value takes part
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record LabelledSequence(String exampleId, int[] ids, List<String> labels, OptionalDouble score, double weight) {
    public LabelledSequence {
        labels = List.copyOf(labels);
    }

    /** Of a sequence whose objective is labels. */
    public static LabelledSequence of(TokenSequence message) {
        return new LabelledSequence(
                message.getExampleId(),
                message.getIdsList().stream().mapToInt(Integer::intValue).toArray(),
                message.getLabelsList(),
                message.hasScore() ? OptionalDouble.of(message.getScore()) : OptionalDouble.empty(),
                ExampleCollector.weight(message.getWeight()));
    }
}
