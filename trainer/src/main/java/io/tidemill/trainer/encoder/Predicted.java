package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderConfig.Problem;
import java.util.Set;
import java.util.TreeSet;

/** What logits say. */
public final class Predicted {
    private Predicted() {}

    /** The label with the largest logit, the first of equal ones. */
    public static int label(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    /** All labels that are more likely than not: whose logits are above 0. */
    public static Set<Integer> labels(float[] logits) {
        Set<Integer> labels = new TreeSet<>();
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] > 0) {
                labels.add(i);
            }
        }
        return labels;
    }

    /** Right labels as the problem has them: one, or any number. */
    public static Set<Integer> labels(Problem problem, float[] logits) {
        return problem == Problem.SINGLE ? Set.of(label(logits)) : labels(logits);
    }
}
