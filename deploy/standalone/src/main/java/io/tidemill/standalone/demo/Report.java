package io.tidemill.standalone.demo;

import io.tidemill.proto.v1.SuiteResult;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What the demo says at its end.
 *
 * @param store        directory with a directory for each version
 * @param kept         whether it is still there when the demo has ended
 * @param ready        from the start of the JVM until every service was ready
 * @param firstRefresh from the start of the JVM until the first refreshed version was promoted
 */
record Report(
        List<RoundResult> rounds,
        Path store,
        boolean kept,
        Duration ready,
        Optional<Duration> firstRefresh,
        OptionalLong peakMebibytes,
        OptionalLong chatP95Millis,
        int chatAnswers,
        int chatFailures) {

    private static final List<String> HEADINGS = List.of(
            "round", "version", "examples", "held-out loss", "preference accuracy [95 %]", "verdict", "seconds");

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.addAll(table());
        lines.add("");
        for (RoundResult round : rounds) {
            lines.add(round.event().getVersion() + " is in "
                    + store.resolve(round.event().getVersion()));
            if (!round.promoted()) {
                lines.add("  refused: " + round.event().getVerdict().getSummary());
            }
        }
        if (!kept) {
            lines.add("  a temporary directory, removed when the demo ends; --data DIR keeps it");
        }
        lines.add("");
        lines.add("seconds        from the first feedback event of the round to the first answer of the new version");
        lines.add("READY          " + seconds(ready) + " s after the start of the JVM");
        lines.add("first refresh  "
                + firstRefresh
                        .map(after -> "promoted " + seconds(after) + " s after the start of the JVM")
                        .orElse("no version was promoted"));
        lines.add("peak memory    "
                + (peakMebibytes.isPresent()
                        ? String.format(Locale.ROOT, "%,d MiB resident", peakMebibytes.getAsLong())
                        : "not told by this system"));
        lines.add("chat p95       "
                + (chatP95Millis.isPresent()
                        ? String.format(
                                Locale.ROOT,
                                "%.2f s while a round ran (%d answers of at most 16 tokens, %d failed)",
                                chatP95Millis.getAsLong() / 1000.0,
                                chatAnswers,
                                chatFailures)
                        : "no answer fell into a round"));
        lines.add("");
        lines.add(lossSentence());
        lines.add(accuracySentence());
        return lines;
    }

    private List<String> table() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        for (RoundResult round : rounds) {
            rows.add(List.of(
                    String.valueOf(round.event().getLineage().getRound()),
                    round.event().getVersion(),
                    examples(round.event().getLineage().getExamplesMap()),
                    round.suite(RoundResult.HELD_OUT_LOSS)
                            .map(suite ->
                                    String.format(Locale.ROOT, "%.4f → %.4f", suite.getBefore(), suite.getAfter()))
                            .orElse("–"),
                    round.suite(RoundResult.PREFERENCE_ACCURACY)
                            .map(Report::accuracy)
                            .orElse("–"),
                    round.promoted() ? "promoted" : "refused",
                    round.toFirstAnswer().map(Report::seconds).orElse("–")));
        }
        int[] widths = new int[HEADINGS.size()];
        for (List<String> row : rows) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
        }
        return rows.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            line.append(cells.get(column))
                    .append(" ".repeat(widths[column] - cells.get(column).length() + 2));
        }
        return line.toString().stripTrailing();
    }

    private static String examples(Map<String, Long> byStage) {
        return new TreeMap<>(byStage)
                .entrySet().stream()
                        .map(stage -> stage.getKey() + " " + stage.getValue())
                        .collect(Collectors.joining(", "));
    }

    private static String accuracy(SuiteResult suite) {
        return String.format(
                Locale.ROOT,
                "%.1f %% → %.1f %% [%.1f, %.1f] of %d",
                100 * suite.getBefore(),
                100 * suite.getAfter(),
                100 * suite.getAfterLow(),
                100 * suite.getAfterHigh(),
                suite.getExamples());
    }

    private String lossSentence() {
        return Trend.of(RoundResult.HELD_OUT_LOSS, rounds)
                .map(trend -> String.format(
                        Locale.ROOT,
                        "Held-out loss %s: %.4f → %.4f, difference %+.4f [%+.4f, %+.4f] by paired bootstrap over %d"
                                + " examples.",
                        trend.fell() ? "fell" : "did not fall beyond chance",
                        trend.before(),
                        trend.after(),
                        trend.difference(),
                        trend.low(),
                        trend.high(),
                        trend.examples()))
                .orElse("Held-out loss did not fall: no round was promoted with a figure for it.");
    }

    private String accuracySentence() {
        return Trend.of(RoundResult.PREFERENCE_ACCURACY, rounds)
                .map(trend -> String.format(
                        Locale.ROOT,
                        "Held-out preference accuracy %s: %.1f %% → %.1f %%, difference %+.1f [%+.1f, %+.1f] points by"
                                + " paired bootstrap over %d pairs.",
                        trend.rose() ? "rose" : "did not rise beyond chance",
                        100 * trend.before(),
                        100 * trend.after(),
                        100 * trend.difference(),
                        100 * trend.low(),
                        100 * trend.high(),
                        trend.examples()))
                .orElse("Held-out preference accuracy did not rise: no round was promoted with a figure for it.");
    }

    private static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1f", duration.toMillis() / 1000.0);
    }
}
