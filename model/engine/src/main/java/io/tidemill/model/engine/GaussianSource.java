package io.tidemill.model.engine;

/**
 * Random numbers that are the same on every machine and in every version of Java: SplitMix64 (Steele, Lea and Flood
 * 2014) and, for the normal distribution, the polar form of Box and Muller (Marsaglia 1964) with StrictMath.
 */
final class GaussianSource {
    private long state;
    private double spare = Double.NaN;

    GaussianSource(long seed) {
        this.state = seed;
    }

    private long bits() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Uniform in [0, 1), 53 bits. */
    double uniform() {
        return (bits() >>> 11) * 0x1p-53;
    }

    /** Mean 0, standard deviation 1. */
    double next() {
        if (!Double.isNaN(spare)) {
            double result = spare;
            spare = Double.NaN;
            return result;
        }
        double u;
        double v;
        double s;
        do {
            u = 2 * uniform() - 1;
            v = 2 * uniform() - 1;
            s = u * u + v * v;
        } while (s >= 1 || s == 0);
        double scale = Math.sqrt(-2 * StrictMath.log(s) / s);
        spare = v * scale;
        return u * scale;
    }
}
