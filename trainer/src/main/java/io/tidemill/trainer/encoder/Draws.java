package io.tidemill.trainer.encoder;

/** Uniform numbers, the same on any machine: SplitMix64, Steele, Lea and Flood (2014), OOPSLA, figure 16. */
final class Draws {
    private long state;

    Draws(long seed) {
        this.state = seed;
    }

    /** In [0, 1), 53 bits. */
    double next() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1p-53;
    }
}
