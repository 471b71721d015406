package io.tidemill.trainer.gate;

import java.util.stream.DoubleStream;

/**
 * What a model scored on each example of a suite. The suite's figure is Σ values / Σ weights.
 *
 * @param values  {@code [n]}: summed loss in nats, or 1, ½, 0 for right, tie, wrong
 * @param weights {@code [n]}: tokens, or 1
 */
public record Scores(double[] values, double[] weights) {
    public Scores {
        if (values.length != weights.length) {
            throw new IllegalArgumentException(values.length + " values but " + weights.length + " weights");
        }
    }

    public int size() {
        return values.length;
    }

    public double mean() {
        return DoubleStream.of(values).sum() / DoubleStream.of(weights).sum();
    }

    /** The figure over the examples of those indexes, repeats included. */
    double mean(int[] indexes) {
        double value = 0;
        double weight = 0;
        for (int index : indexes) {
            value += values[index];
            weight += weights[index];
        }
        return value / weight;
    }
}
