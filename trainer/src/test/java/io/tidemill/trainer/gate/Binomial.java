package io.tidemill.trainer.gate;

import java.util.function.DoubleUnaryOperator;

/** Exact intervals of a share: Clopper and Pearson, "The use of confidence or fiducial limits…" (1934). */
public final class Binomial {
    private Binomial() {}

    /** Of a share. */
    public record Interval(double low, double high) {}

    /**
     * The shares under which {@code count} of {@code n} is no surprise.
     *
     * @param confidence such as 0.95, half of the rest on each side
     */
    public static Interval clopperPearson(int count, int n, double confidence) {
        double tail = (1 - confidence) / 2;
        double low = count == 0 ? 0 : solve(p -> 1 - atMost(count - 1, n, p), tail);
        double high = count == n ? 1 : solve(p -> -atMost(count, n, p), -tail);
        return new Interval(low, high);
    }

    /** Probability of at most {@code count} of {@code n}. */
    private static double atMost(int count, int n, double p) {
        double sum = 0;
        double logChoose = 0;
        for (int k = 0; k <= count; k++) {
            sum += Math.exp(logChoose + k * Math.log(p) + (n - k) * Math.log1p(-p));
            logChoose += Math.log((n - k) / (k + 1.0));
        }
        return Math.min(1, sum);
    }

    /** Where a rising function of a share has that value. */
    private static double solve(DoubleUnaryOperator rising, double value) {
        double low = 0;
        double high = 1;
        for (int i = 0; i < 100; i++) {
            double middle = (low + high) / 2;
            if (rising.applyAsDouble(middle) < value) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return (low + high) / 2;
    }
}
