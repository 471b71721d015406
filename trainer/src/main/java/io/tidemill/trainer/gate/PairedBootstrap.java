package io.tidemill.trainer.gate;

import java.util.Random;
import java.util.stream.DoubleStream;

/**
 * Resamples examples, the same ones for both models, so that what makes an example hard cancels out: Efron and
 * Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 13 and 16.
 *
 * @param differences after − before of each resample
 * @param afters      the figure after, of each resample
 */
record PairedBootstrap(double[] differences, double[] afters) {
    /** @param seed makes the resamples repeatable */
    static PairedBootstrap of(Scores before, Scores after, int resamples, long seed) {
        if (before.size() != after.size() || before.size() == 0) {
            throw new IllegalArgumentException("Both models need scores on the same examples, at least one, but have "
                    + before.size() + " and " + after.size());
        }
        Random random = new Random(seed);
        int n = before.size();
        int[] chosen = new int[n];
        double[] differences = new double[resamples];
        double[] afters = new double[resamples];
        for (int resample = 0; resample < resamples; resample++) {
            for (int i = 0; i < n; i++) {
                chosen[i] = random.nextInt(n);
            }
            afters[resample] = after.mean(chosen);
            differences[resample] = afters[resample] - before.mean(chosen);
        }
        return new PairedBootstrap(differences, afters);
    }

    /**
     * Probability of seeing this if the candidate were worse by the margin: (1 + resamples that are) / (1 + resamples),
     * Davison and Hinkley, "Bootstrap Methods and their Application" (1997), section 4.2.
     *
     * @param sign 1 where a higher figure is better, −1 where a lower one is
     */
    double probabilityOfInferiority(double margin, int sign) {
        // What is not a number is not shown to be better than anything.
        long inferior = DoubleStream.of(differences)
                .filter(difference -> !(sign * difference > -margin))
                .count();
        return (1.0 + inferior) / (1.0 + differences.length);
    }
}
