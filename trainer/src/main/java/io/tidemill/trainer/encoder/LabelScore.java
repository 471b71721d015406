package io.tidemill.trainer.encoder;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * How well a label is found. What would be divided by zero is 0, as with {@code zero_division=0} in scikit-learn.
 *
 * @param precision share of what was said that is right
 * @param recall    share of what is right that was said
 * @param f1        2·precision·recall / (precision + recall)
 * @param support   texts that have the label
 */
public record LabelScore(double precision, double recall, double f1, long support) {
    /**
     * @param hit    said and right
     * @param said   said at all
     * @param actual right at all
     */
    static LabelScore of(long hit, long said, long actual) {
        return new LabelScore(share(hit, said), share(hit, actual), share(2 * hit, said + actual), actual);
    }

    /** The plain mean over labels. */
    static LabelScore macro(List<LabelScore> labels) {
        return mean(labels, label -> 1);
    }

    /** The mean over labels, each by its texts. */
    static LabelScore weighted(List<LabelScore> labels) {
        return mean(labels, LabelScore::support);
    }

    private static LabelScore mean(List<LabelScore> labels, ToDoubleFunction<LabelScore> weight) {
        double total = labels.stream().mapToDouble(weight).sum();
        return new LabelScore(
                sum(labels, label -> weight.applyAsDouble(label) * label.precision) / Math.max(total, 1e-300),
                sum(labels, label -> weight.applyAsDouble(label) * label.recall) / Math.max(total, 1e-300),
                sum(labels, label -> weight.applyAsDouble(label) * label.f1) / Math.max(total, 1e-300),
                labels.stream().mapToLong(LabelScore::support).sum());
    }

    private static double sum(List<LabelScore> labels, ToDoubleFunction<LabelScore> value) {
        return labels.stream().mapToDouble(value).sum();
    }

    static double share(long part, long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }

    /** A line of a table. */
    String line(String name, int width) {
        return String.format(
                java.util.Locale.ROOT,
                "%-" + width + "s  %9.4f  %9.4f  %9.4f  %8d%n",
                name,
                precision,
                recall,
                f1,
                support);
    }

    static String header(int width) {
        return String.format(
                java.util.Locale.ROOT,
                "%-" + width + "s  %9s  %9s  %9s  %8s%n",
                "",
                "precision",
                "recall",
                "f1",
                "texts");
    }

    static int width(List<String> names) {
        return Math.max(12, names.stream().mapToInt(String::length).max().orElse(0));
    }
}
