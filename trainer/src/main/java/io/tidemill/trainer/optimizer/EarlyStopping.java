package io.tidemill.trainer.optimizer;

import java.util.Map;

/**
 * Says when to stop: after so many evaluations in a row that were no better. As {@code EarlyStoppingCallback} of
 * transformers 5.18, to the letter: a value counts as better only if it beats the best by more than the threshold, but
 * becomes the best as soon as it beats it at all.
 */
public final class EarlyStopping {
    private final int patience;
    private final double threshold;
    private final boolean greaterIsBetter;
    private int worse;
    private double best = Double.NaN; // none yet

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
    }

    /** Hears of an evaluation, and says whether to stop. A metric that is not a number is no better. */
    public boolean stopsAfter(double metric) {
        boolean first = Double.isNaN(best);
        boolean better = first && !Double.isNaN(metric) || (greaterIsBetter ? metric > best : metric < best);
        worse = first && better || better && Math.abs(metric - best) > threshold ? 0 : worse + 1;
        best = better ? metric : best;
        return worse >= patience;
    }

    /** The best metric so far; NaN before the first. */
    public double best() {
        return best;
    }

    /** What has to outlive the process. */
    public Map<String, Double> memory() {
        return Map.of("worse", (double) worse, "best", best);
    }

    /** Goes on with what {@link #memory} gave. */
    public void restore(Map<String, Double> memory) {
        worse = memory.getOrDefault("worse", 0.0).intValue();
        best = memory.getOrDefault("best", Double.NaN);
    }
}
