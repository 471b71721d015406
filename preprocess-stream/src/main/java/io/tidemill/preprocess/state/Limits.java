package io.tidemill.preprocess.state;

import java.time.Duration;

/**
 * How much a store keeps.
 *
 * @param retention  an entry older than this is forgotten
 * @param maxEntries above this the oldest entries are forgotten; entries per partition
 */
public record Limits(Duration retention, long maxEntries) {
    public Limits {
        if (retention.isNegative() || retention.isZero()) {
            throw new IllegalArgumentException("retention must be positive, but was " + retention);
        }
        if (maxEntries < 1) {
            throw new IllegalArgumentException("maxEntries must be at least 1, but was " + maxEntries);
        }
    }
}
