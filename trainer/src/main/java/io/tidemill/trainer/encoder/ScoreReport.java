package io.tidemill.trainer.encoder;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * How well scores are met.
 *
 * @param meanSquaredError  mean of (said − right)²
 * @param meanAbsoluteError mean of |said − right|
 * @param correlation       Pearson's; 0 where one side is the same for all texts
 */
public record ScoreReport(double meanSquaredError, double meanAbsoluteError, double correlation, long texts) {
    /** Of each text, in the same order. */
    public static ScoreReport of(double[] right, double[] said) {
        if (right.length != said.length || right.length == 0) {
            throw new IllegalArgumentException(
                    right.length + " texts have a score, but of " + said.length + " one was said");
        }
        double square = 0;
        double absolute = 0;
        double ofRight = Arrays.stream(right).average().orElseThrow();
        double ofSaid = Arrays.stream(said).average().orElseThrow();
        double together = 0;
        double rights = 0;
        double saids = 0;
        for (int i = 0; i < right.length; i++) {
            double difference = said[i] - right[i];
            square += difference * difference;
            absolute += Math.abs(difference);
            together += (right[i] - ofRight) * (said[i] - ofSaid);
            rights += (right[i] - ofRight) * (right[i] - ofRight);
            saids += (said[i] - ofSaid) * (said[i] - ofSaid);
        }
        double spread = Math.sqrt(rights * saids);
        return new ScoreReport(
                square / right.length, absolute / right.length, spread == 0 ? 0 : together / spread, right.length);
    }

    /** All by name. */
    public Map<String, Double> figures() {
        return Map.of("mae", meanAbsoluteError, "mse", meanSquaredError, "pearson", correlation);
    }

    /** For people. */
    public String table() {
        return String.format(
                Locale.ROOT,
                "mean squared error   %9.4f%nmean absolute error  %9.4f%ncorrelation          %9.4f%ntexts                %9d%n",
                meanSquaredError,
                meanAbsoluteError,
                correlation,
                texts);
    }
}
