package io.tidemill.trainer.objective;

import java.util.List;

/**
 * Mean and variance of numbers.
 *
 * @param variance with n − 1 degrees of freedom; 0 of fewer than two numbers
 */
record Spread(double mean, double variance) {
    static Spread of(double... numbers) {
        return of(List.of(numbers));
    }

    static Spread of(List<double[]> numbers) {
        long n = 0;
        double sum = 0;
        for (double[] some : numbers) {
            for (double number : some) {
                sum += number;
                n++;
            }
        }
        double mean = n == 0 ? 0 : sum / n;
        double squares = 0;
        for (double[] some : numbers) {
            for (double number : some) {
                squares += (number - mean) * (number - mean);
            }
        }
        return new Spread(mean, n < 2 ? 0 : squares / (n - 1));
    }

    double deviation() {
        return Math.sqrt(variance);
    }
}
