package io.tidemill.trainer.promotion;

import java.util.Arrays;

/**
 * Whether the mean of differences in [−1, 1] lies above or below a threshold, looked at as often as one likes.
 *
 * <p>A gambler who believes in "above" stakes a fixed share f of the capital on each difference {@code d}, at odds that are
 * fair or worse if the mean is at most m; another one believes in "below". The capital of many such gamblers together,
 * one for each f, exceeds 1/α with probability at most α however long they play (Ville's inequality), so it may be
 * watched all the time.
 *
 * <pre>
 *   z = (1 + d)/2, μ = (1 + m)/2      above: K⁺(m) = 1/F Σ_f Π_i (1 − f + f·z_i/μ)
 *                                     below: K⁻(m) = 1/F Σ_f Π_i (1 − f + f·(1 − z_i)/(1 − μ))
 *   bounds that hold at all times: the m at which K⁺(m), and K⁻(m), reaches 1/α
 * </pre>
 *
 * <p>Nothing is asked of the differences but that each has this mean given those before it: they may be of any
 * distribution, and it may change.
 *
 * <p>Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (2024), section 4,
 * arXiv:2010.09686; compared with confseq's {@code diversified_betting_mart}. Differs: stakes that do not depend on what
 * came before, so that the order of the differences does not change the capital.
 */
public final class SequentialTest {
    /** f, from the timid to the bold: small ones find small differences, and large ones large differences soon. */
    static final double[] STAKES = {
        0.0075, 0.015, 0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.28, 0.36, 0.46, 0.58, 0.72, 0.9
    };

    private static final int HALVINGS = 40;

    private final double threshold;
    private final double alpha;
    private final double[] logAbove = new double[STAKES.length];
    private final double[] logBelow = new double[STAKES.length];
    private double[] differences = new double[64];
    private int size;
    private double sum;

    /**
     * @param threshold m that is decided about; between −1 and 1
     * @param alpha     chance of each of both mistakes
     */
    public SequentialTest(double threshold, double alpha) {
        if (!(threshold > -1 && threshold < 1 && alpha > 0 && alpha < 1)) {
            throw new IllegalArgumentException(
                    "The threshold is between -1 and 1 and alpha between 0 and 1, but they were " + threshold + " and "
                            + alpha + ".");
        }
        this.threshold = threshold;
        this.alpha = alpha;
    }

    /** @param difference in [−1, 1] */
    public void add(double difference) {
        if (!(difference >= -1 && difference <= 1)) {
            throw new IllegalArgumentException("A difference is from -1 to 1, but was " + difference + ".");
        }
        if (size == differences.length) {
            differences = Arrays.copyOf(differences, 2 * size);
        }
        differences[size++] = difference;
        sum += difference;
        bet(logAbove, difference, threshold);
        bet(logBelow, -difference, -threshold);
    }

    private static void bet(double[] logCapitals, double difference, double mean) {
        for (int i = 0; i < STAKES.length; i++) {
            logCapitals[i] += Math.log1p(STAKES[i] * ((1 + difference) / (1 + mean) - 1));
        }
    }

    public int size() {
        return size;
    }

    /** Of the differences; 0 without any. */
    public double mean() {
        return size == 0 ? 0 : sum / size;
    }

    /** K⁺ at the threshold: 1 at the beginning, and 1/α is enough. */
    public double evidenceAbove() {
        return Math.exp(logMean(logAbove));
    }

    /** K⁻ at the threshold. */
    public double evidenceBelow() {
        return Math.exp(logMean(logBelow));
    }

    public double evidenceNeeded() {
        return 1 / alpha;
    }

    /** With probability 1 − α the mean is never below it, at whatever time one looks. */
    public double low() {
        return bound(1);
    }

    /** With probability 1 − α the mean is never above it. */
    public double high() {
        return -bound(-1);
    }

    /** The largest m that the gamblers on "above" have shown to be too small, for the differences times {@code sign}. */
    private double bound(int sign) {
        double refuted = -1;
        double possible = 1;
        for (int i = 0; i < HALVINGS; i++) {
            double middle = (refuted + possible) / 2;
            if (logCapitalAbove(sign, middle) >= -Math.log(alpha)) {
                refuted = middle;
            } else {
                possible = middle;
            }
        }
        return refuted;
    }

    private double logCapitalAbove(int sign, double mean) {
        double[] logCapitals = new double[STAKES.length];
        for (int i = 0; i < size; i++) {
            bet(logCapitals, sign * differences[i], mean);
        }
        return logMean(logCapitals);
    }

    /** Logarithm of the mean of what these are the logarithms of. */
    private static double logMean(double[] logs) {
        double largest = Arrays.stream(logs).max().orElseThrow();
        double scaled = Arrays.stream(logs).map(log -> Math.exp(log - largest)).sum();
        return largest + Math.log(scaled / logs.length);
    }
}
