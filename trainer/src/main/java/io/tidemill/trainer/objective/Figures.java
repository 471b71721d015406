package io.tidemill.trainer.objective;

import java.util.Map;
import java.util.TreeMap;

/** Means by name that a step logs, gathered over its calls. */
public final class Figures {
    private record Sum(double sum, double weight) {
        Sum plus(double value, double count) {
            return new Sum(sum + value * count, weight + count);
        }
    }

    private final Map<String, Sum> sums = new TreeMap<>();

    /** Adds one value. */
    public void add(String name, double value) {
        add(name, value, 1);
    }

    /** Adds the mean of {@code count} values. */
    public void add(String name, double mean, double count) {
        sums.put(name, sums.getOrDefault(name, new Sum(0, 0)).plus(mean, count));
    }

    /** The mean of each name, in the order of the names. */
    public Map<String, Double> means() {
        Map<String, Double> means = new TreeMap<>();
        sums.forEach((name, sum) -> means.put(name, sum.weight == 0 ? 0 : sum.sum / sum.weight));
        return means;
    }
}
