package io.tidemill.trainer.optimizer;

import java.util.Map;
import java.util.TreeMap;

/**
 * Says when to stop: after so many evaluations in a row that were no better. As {@code EarlyStoppingCallback} of
 * transformers 5.18, to the letter: a value counts as better only if it beats the best by more than the threshold, but
 * becomes the best as soon as it beats it at all.
 */
public final class EarlyStopping {
    private final int patience;
    private final double threshold;
    private final boolean greaterIsBetter;
    private boolean heard; // of an evaluation
    private int worse;
    private double best;

    /**
     * @param patience  evaluations in a row that may be no better, at least 1
     * @param threshold in the unit of the metric, 0 or more
     */
    public EarlyStopping(int patience, double threshold, boolean greaterIsBetter) {
        if (patience < 1 || !(threshold >= 0)) {
            throw new IllegalArgumentException("patience must be at least 1 and the threshold not negative, but were "
                    + patience + " and " + threshold);
        }
        this.patience = patience;
        this.threshold = threshold;
        this.greaterIsBetter = greaterIsBetter;
        this.best = greaterIsBetter ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }

    /** Hears of an evaluation, and says whether to stop. The first is never worse; a metric that is no number is never better. */
    public boolean stopsAfter(double metric) {
        boolean better = greaterIsBetter ? metric > best : metric < best;
        worse = !heard || better && Math.abs(metric - best) > threshold ? 0 : worse + 1;
        best = better ? metric : best;
        heard = true;
        return worse >= patience;
    }

    /** The best metric so far; infinite before the first. */
    public double best() {
        return best;
    }

    /** What has to outlive the process; finite numbers. */
    public Map<String, Double> memory() {
        Map<String, Double> memory = new TreeMap<>();
        if (heard) {
            memory.put("worse", (double) worse);
        }
        if (Double.isFinite(best)) {
            memory.put("best", best);
        }
        return memory;
    }

    /** Goes on with what {@link #memory} gave. */
    public void restore(Map<String, Double> memory) {
        heard = memory.containsKey("worse");
        worse = memory.getOrDefault("worse", 0.0).intValue();
        best = memory.getOrDefault("best", best);
    }
}
