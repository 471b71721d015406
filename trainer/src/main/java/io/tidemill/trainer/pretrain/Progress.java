package io.tidemill.trainer.pretrain;

import java.util.function.LongSupplier;

/** Sums what happened since the last report. */
final class Progress {

    private final LongSupplier nanoClock;
    private long startedNanos;
    private double nats;
    private long tokens;
    private long stepsSinceReport;

    Progress(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        startedNanos = nanoClock.getAsLong();
    }

    void add(double loss, long stepTokens) {
        nats += loss * stepTokens;
        tokens += stepTokens;
        stepsSinceReport++;
    }

    PretrainReport report(long step, long steps, double learningRate) {
        long now = nanoClock.getAsLong();
        double seconds = Math.max(1e-9, (now - startedNanos) / 1e9);
        long left = Math.round((steps - step) * seconds / Math.max(1, stepsSinceReport));
        PretrainReport report = new PretrainReport(step, steps, nats / tokens, learningRate, tokens / seconds, left);
        startedNanos = now;
        nats = 0;
        tokens = 0;
        stepsSinceReport = 0;
        return report;
    }
}
