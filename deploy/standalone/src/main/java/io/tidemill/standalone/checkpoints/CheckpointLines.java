package io.tidemill.standalone.checkpoints;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SuiteResult;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** A version as one line. */
final class CheckpointLines {
    private static final String FORMAT = "%-24s  %-11s  %-20s  %-20s  %-18s  %s";

    static final String HEADING =
            String.format(Locale.ROOT, FORMAT, "version", "state", "at", "held-out loss", "accuracy", "reason");

    private CheckpointLines() {}

    static String of(CheckpointEvent event) {
        Instant at = Instant.ofEpochSecond(event.getEventTime().getSeconds());
        return String.format(
                        Locale.ROOT,
                        FORMAT,
                        event.getVersion(),
                        event.getState().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                        at.truncatedTo(ChronoUnit.SECONDS),
                        suite(event, "held-out-loss", "%.4f → %.4f", 1),
                        suite(event, "preference-accuracy", "%.1f → %.1f %%", 100),
                        event.getReason())
                .stripTrailing();
    }

    private static String suite(CheckpointEvent event, String name, String format, double factor) {
        for (SuiteResult suite : event.getVerdict().getSuitesList()) {
            if (suite.getSuite().equals(name) && suite.getAgainst().isEmpty()) {
                return String.format(Locale.ROOT, format, factor * suite.getBefore(), factor * suite.getAfter());
            }
        }
        return "–";
    }
}
