package io.tidemill.trainer.gate;

import java.util.Arrays;

/** A two-sided 95 % interval. */
public record Interval(double low, double high) {
    /** 97.5 % quantile of the standard normal distribution. */
    private static final double Z = 1.959963984540054;

    /** Percentile interval: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3. */
    static Interval ofPercentiles(double[] resampled) {
        double[] sorted = resampled.clone();
        Arrays.sort(sorted);
        return new Interval(quantile(sorted, 0.025), quantile(sorted, 0.975));
    }

    /** Linear between order statistics: Hyndman and Fan (1996), definition 7. */
    private static double quantile(double[] sorted, double p) {
        double place = p * (sorted.length - 1);
        int below = (int) Math.floor(place);
        int above = Math.min(sorted.length - 1, below + 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /**
     * Interval of a proportion: Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
     *
     * <pre>  (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)  </pre>
     *
     * @param share p, ties counted half
     * @param n     trials, at least 1
     */
    static Interval wilson(double share, long n) {
        double square = Z * Z;
        double centre = share + square / (2 * n);
        double spread = Z * Math.sqrt(share * (1 - share) / n + square / (4.0 * n * n));
        double scale = 1 + square / n;
        return new Interval((centre - spread) / scale, (centre + spread) / scale);
    }
}
