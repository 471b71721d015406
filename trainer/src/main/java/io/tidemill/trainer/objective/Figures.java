package io.tidemill.trainer.objective;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleBinaryOperator;

/** Numbers by name that a step logs, gathered over its calls: means, and a few extremes and differences of means. */
public final class Figures {
    private record Sum(double sum, double weight) {
        Sum plus(double value, double count) {
            return new Sum(sum + value * count, weight + count);
        }

        double mean() {
            return weight == 0 ? 0 : sum / weight;
        }
    }

    private record Difference(String of, String from) {}

    private final Map<String, Sum> sums = new TreeMap<>();
    private final Map<String, Double> extremes = new HashMap<>();
    private final Map<String, Difference> differences = new HashMap<>();

    /** Adds one value. */
    public void add(String name, double value) {
        add(name, value, 1);
    }

    /** Adds the mean of {@code count} values. */
    public void add(String name, double mean, double count) {
        sums.put(name, sums.getOrDefault(name, new Sum(0, 0)).plus(mean, count));
    }

    /** Keeps the smallest of the values given under a name. */
    public void lowest(String name, double value) {
        extreme(name, value, Math::min);
    }

    /** Keeps the largest of the values given under a name. */
    public void highest(String name, double value) {
        extreme(name, value, Math::max);
    }

    private void extreme(String name, double value, DoubleBinaryOperator choose) {
        extremes.merge(name, value, choose::applyAsDouble);
    }

    /** Makes a figure of mean {@code of} minus mean {@code from}; there is none while one of the two has no values. */
    public void difference(String name, String of, String from) {
        differences.put(name, new Difference(of, from));
    }

    /** What came of each name, in the order of the names. */
    public Map<String, Double> means() {
        Map<String, Double> means = new TreeMap<>(extremes);
        sums.forEach((name, sum) -> means.put(name, sum.mean()));
        differences.forEach((name, difference) -> {
            Sum of = sums.get(difference.of());
            Sum from = sums.get(difference.from());
            if (of != null && from != null) {
                means.put(name, of.mean() - from.mean());
            }
        });
        return means;
    }
}
