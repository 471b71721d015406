package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.LabelWeights;
import java.util.List;

/** Weights of labels as people write them: nothing for equal ones, "balanced", or a number a label. */
public final class ClassWeights {
    private static final String BALANCED = "balanced";

    private ClassWeights() {}

    /**
     * The weights.
     *
     * @param examples whose labels "balanced" counts
     * @throws IllegalArgumentException if they are none of the three, or there is a score instead of labels; its message
     *                                  goes on from the name of the setting
     */
    public static LabelWeights of(
            List<String> said, List<String> labels, Problem problem, List<EncoderExample> examples) {
        check(said, labels, problem);
        if (said.isEmpty()) {
            return LabelWeights.EQUAL;
        }
        if (said.equals(List.of(BALANCED))) {
            long[] counts = new long[labels.size()];
            examples.forEach(example -> example.text().labels().forEach(label -> counts[label]++));
            return LabelWeights.balanced(counts);
        }
        return new LabelWeights(said.stream().map(Double::parseDouble).toList());
    }

    /** Whether they would do, before there is any example. */
    public static void check(List<String> said, List<String> labels, Problem problem) {
        if (said.isEmpty()) {
            return;
        }
        if (problem == Problem.SCORE) {
            throw new IllegalArgumentException("have no meaning for a score; leave them out");
        }
        if (!said.equals(List.of(BALANCED)) && !areNumbers(said, labels.size())) {
            throw new IllegalArgumentException(
                    "must be 'balanced' or one number, 0 or more, for each of " + labels + ", but were " + said);
        }
    }

    private static boolean areNumbers(List<String> said, int count) {
        try {
            var unused = new LabelWeights(said.stream().map(Double::parseDouble).toList());
            return said.size() == count;
        } catch (IllegalArgumentException e) { // not a number, or a negative one
            return false;
        }
    }
}
