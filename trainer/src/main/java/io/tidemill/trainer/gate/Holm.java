package io.tidemill.trainer.gate;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Holm's step-down procedure: with m hypotheses, the k-th smallest p-value is held against α / (m − k + 1), and from the
 * first that is above its threshold on none is rejected. The chance of rejecting any true one stays below α.
 *
 * <p>Source: Holm, "A simple sequentially rejective multiple test procedure" (1979).
 */
final class Holm {
    private Holm() {}

    /** What became of one hypothesis, and the threshold it was held against. */
    record Decision(boolean rejected, double threshold) {}

    static List<Decision> decide(double[] pValues, double alpha) {
        int m = pValues.length;
        Integer[] smallestFirst = IntStream.range(0, m).boxed().toArray(Integer[]::new);
        Arrays.sort(smallestFirst, Comparator.comparingDouble(index -> pValues[index]));
        Decision[] decisions = new Decision[m];
        boolean going = true;
        for (int rank = 0; rank < m; rank++) {
            double threshold = alpha / (m - rank);
            going &= pValues[smallestFirst[rank]] <= threshold;
            decisions[smallestFirst[rank]] = new Decision(going, threshold);
        }
        return List.of(decisions);
    }
}
