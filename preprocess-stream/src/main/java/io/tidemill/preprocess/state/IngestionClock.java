package io.tidemill.preprocess.state;

import java.time.Duration;

/**
 * What time it is in the log: the newest ingestion time read so far, and the wall clock once nothing has come for a
 * while, because then the log has been read to its end.
 *
 * <p>The wall clock alone would let waiting records expire at a restart after a long stop, before the log that was
 * written meanwhile has been read; ingestion time alone stands still on a quiet topic. Times are milliseconds since
 * 1970.
 */
public final class IngestionClock {
    /** Quiet for so long means that the end of the log has been reached. */
    public static final Duration QUIET = Duration.ofSeconds(30);

    private long newestIngestionMillis;
    private long lastActivityMillis;

    public IngestionClock(long wallMillis) {
        this.lastActivityMillis = wallMillis;
    }

    /** A record that the broker appended at {@code ingestionMillis} is being processed at {@code wallMillis}. */
    public void observe(long ingestionMillis, long wallMillis) {
        newestIngestionMillis = Math.max(newestIngestionMillis, ingestionMillis);
        lastActivityMillis = wallMillis;
    }

    /** The time in the log when the wall clock shows {@code wallMillis}. */
    public long now(long wallMillis) {
        boolean quiet = wallMillis - lastActivityMillis >= QUIET.toMillis();
        return quiet ? Math.max(newestIngestionMillis, wallMillis) : newestIngestionMillis;
    }
}
