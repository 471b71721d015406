package io.tidemill.trainer.offline.log;

import io.tidemill.trainer.checkpoint.Durable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** All logged figures as CSV, a row a log line, empty where a row has no such figure. */
public final class MetricsCsv {
    private final Path file;
    private final List<Map<String, Double>> rows;
    private final Set<String> columns = new LinkedHashSet<>();

    /** @param earlier rows from before an interruption; the file begins with them */
    public MetricsCsv(Path file, List<Map<String, Double>> earlier) throws IOException {
        this.file = file;
        this.rows = new ArrayList<>(earlier);
        earlier.forEach(row -> columns.addAll(row.keySet()));
        rewrite();
    }

    /** Adds a row; a figure that no row had before makes the file anew. */
    public void add(Map<String, Double> row) throws IOException {
        rows.add(row);
        if (columns.addAll(row.keySet())) {
            rewrite();
        } else {
            Files.writeString(file, line(row), StandardOpenOption.APPEND);
        }
    }

    private void rewrite() throws IOException {
        String head = String.join(",", columns) + "\n";
        Durable.write(
                file,
                columns.isEmpty() ? "" : head + rows.stream().map(this::line).collect(Collectors.joining()));
    }

    private String line(Map<String, Double> row) {
        return columns.stream()
                        .map(column -> row.containsKey(column) ? number(row.get(column)) : "")
                        .collect(Collectors.joining(","))
                + "\n";
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.valueOf((long) value)
                : String.valueOf(value);
    }
}
