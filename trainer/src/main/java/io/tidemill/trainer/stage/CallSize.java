package io.tidemill.trainer.stage;

/**
 * How much of a step goes through the model in one call. It decides memory and the order of sums, and so the last bits of
 * the weights; not what a step learns from.
 *
 * @param rows      of packed sequences, at most
 * @param pairs     of preferences, at most
 * @param recompute whether activations are computed a second time instead of kept
 */
public record CallSize(int rows, int pairs, boolean recompute) {
    /** As the settings have it. */
    public static final CallSize UNLIMITED = new CallSize(Integer.MAX_VALUE, Integer.MAX_VALUE, false);

    public CallSize {
        if (rows < 1 || pairs < 1) {
            throw new IllegalArgumentException(
                    "A call has at least 1 row or 1 pair, but was " + rows + " and " + pairs);
        }
    }

    /** Answers that were rated alone, at most: as many as there are in the pairs. */
    int answers() {
        return (int) Math.min(Integer.MAX_VALUE, 2L * pairs);
    }
}
