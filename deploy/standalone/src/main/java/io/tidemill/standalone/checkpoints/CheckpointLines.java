package io.tidemill.standalone.checkpoints;

import io.tidemill.proto.v1.CheckpointEvent;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Set;

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
                        suite(event, Set.of("held-out-loss"), "%.4f → %.4f", 1),
                        suite(event, Set.of("preference-accuracy", "label-accuracy"), "%.1f → %.1f %%", 100),
                        event.getReason())
                .stripTrailing();
    }

    /** Of the first suite of one of the names, if it has an example. */
    private static String suite(CheckpointEvent event, Set<String> names, String format, double factor) {
        return event.getVerdict().getSuitesList().stream()
                .filter(suite ->
                        names.contains(suite.getSuite()) && suite.getAgainst().isEmpty() && suite.getExamples() > 0)
                .findFirst()
                .map(suite -> String.format(Locale.ROOT, format, factor * suite.getBefore(), factor * suite.getAfter()))
                .orElse("–");
    }
}
