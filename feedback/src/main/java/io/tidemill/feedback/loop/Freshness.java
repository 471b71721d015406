package io.tidemill.feedback.loop;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.tidemill.proto.v1.CheckpointEvent;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How long an event was on its way from the broker into what answers, for each example that a version was trained on, as a
 * histogram.
 *
 * <p>A version tells when its examples had come in by hundredths; each example counts as the hundredth that it is in. A
 * version counts when it first serves in this process, and those that had served before not again.
 */
public final class Freshness {
    private static final double[] SECONDS = {
        5, 10, 20, 30, 60, 120, 180, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600, 86_400, 604_800
    };

    private final DistributionSummary seconds;
    private final Set<String> counted = new HashSet<>();

    public Freshness(MeterRegistry metrics) {
        this.seconds = DistributionSummary.builder("feedback_freshness_seconds")
                .description(
                        "From an event's arrival at the broker to the switch to the version that was trained on it")
                .serviceLevelObjectives(SECONDS)
                .maximumExpectedValue(SECONDS[SECONDS.length - 1])
                .register(metrics);
    }

    /** These are not new: whoever starts does not know since when they serve. */
    public synchronized void known(List<CheckpointEvent> versions) {
        versions.forEach(version -> counted.add(version.getVersion()));
    }

    /** A version answers from now on. */
    public synchronized void serves(CheckpointEvent version, Instant now) {
        List<Long> cameIn = version.getAccount().getCameInMillisList();
        long trained = version.getAccount().getTrained();
        if (!counted.add(version.getVersion()) || cameIn.isEmpty()) {
            return;
        }
        for (long i = 0; i < trained; i++) {
            int hundredth = (int) (i * cameIn.size() / trained);
            seconds.record(Math.max(0, now.toEpochMilli() - cameIn.get(hundredth)) / 1000.0);
        }
    }
}
