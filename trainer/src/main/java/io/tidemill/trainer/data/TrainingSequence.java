package io.tidemill.trainer.data;

import java.util.Objects;

/**
 * One example as token ids: a whole document, or a rendered conversation.
 *
 * @param exampleId id by which the example is counted and, if a step diverges, named
 * @param ids       tokens {@code [n]}, n ≥ 1
 * @param lossMask  {@code [n]}, true where the token is learned; empty where all are. The first token is never a
 *                  target, because nothing comes before it
 * @param weight    what the loss of each of its tokens counts, beside the others of its step; 0 leaves the example out
 */
public record TrainingSequence(String exampleId, int[] ids, boolean[] lossMask, double weight) {
    public TrainingSequence {
        Objects.requireNonNull(exampleId, "exampleId");
        if (ids.length == 0) {
            throw new IllegalArgumentException("Example " + exampleId + " has no tokens");
        }
        if (lossMask.length != 0 && lossMask.length != ids.length) {
            throw new IllegalArgumentException("Example " + exampleId + " has " + ids.length
                    + " tokens but a loss mask of " + lossMask.length + "; give one flag a token, or none");
        }
        if (!(weight >= 0) || Double.isInfinite(weight)) {
            throw new IllegalArgumentException(
                    "Example " + exampleId + " has weight " + weight + "; a weight is finite and not negative");
        }
    }

    /** An example of which every token is learned, with weight 1. */
    public static TrainingSequence of(String exampleId, int[] ids) {
        return new TrainingSequence(exampleId, ids, new boolean[0], 1);
    }

    /** Is the token at {@code index} to be predicted from those before it? */
    boolean learns(int index) {
        return index > 0 && (lossMask.length == 0 || lossMask[index]);
    }

    /** Tokens that are learned; 0 where the weight is 0. */
    public long targets() {
        long count = 0;
        for (int index = 1; index < ids.length; index++) {
            count += learns(index) ? 1 : 0;
        }
        return weight == 0 ? 0 : count;
    }
}
