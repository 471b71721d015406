package io.tidemill.feedback.loop;

import java.util.Arrays;

/** Percentiles of the newest {@value #SIZE} durations. */
final class Percentiles {
    private static final int SIZE = 512;

    private final long[] nanos = new long[SIZE];
    private long added;

    synchronized void add(long duration) {
        nanos[(int) (added++ % SIZE)] = duration;
    }

    synchronized long samples() {
        return Math.min(added, SIZE);
    }

    /** The smallest duration that at least this share does not exceed, in milliseconds; 0 without samples. */
    synchronized double millis(double share) {
        int samples = (int) samples();
        if (samples == 0) {
            return 0;
        }
        long[] sorted = Arrays.copyOf(nanos, samples);
        Arrays.sort(sorted);
        int rank = Math.max(1, (int) Math.ceil(share * samples));
        return sorted[rank - 1] / 1e6;
    }
}
