package io.tidemill.trainer.checkpoint;

import io.tidemill.trainer.data.ExampleSet;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** {@code state/examples.tsv}: the examples that a version's round saw, and their stage; one line each. */
public final class Ledger {
    public static final String FILE = "examples.tsv";

    /** Those of earlier slices that it learned once more, in the same form. */
    public static final String REPLAYED = "replayed.tsv";

    private Ledger() {}

    public static void write(Path state, List<LedgerEntry> entries) throws IOException {
        write(state, FILE, entries);
    }

    public static void writeReplayed(Path state, List<LedgerEntry> entries) throws IOException {
        write(state, REPLAYED, entries);
    }

    private static void write(Path state, String name, List<LedgerEntry> entries) throws IOException {
        StringBuilder text = new StringBuilder();
        entries.forEach(entry -> text.append(entry.stage())
                .append('\t')
                .append(escaped(entry.exampleId()))
                .append('\n'));
        Durable.write(state.resolve(name), text.toString());
    }

    /** Entries of one version; none where it has no ledger. */
    public static List<LedgerEntry> read(Path state) throws IOException {
        return read(state, FILE);
    }

    /** What one version learned once more. */
    public static List<LedgerEntry> readReplayed(Path state) throws IOException {
        return read(state, REPLAYED);
    }

    private static List<LedgerEntry> read(Path state, String name) throws IOException {
        Path file = state.resolve(name);
        if (!Files.exists(file)) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(line -> line.split("\t", 2))
                    .map(parts -> new LedgerEntry(unescaped(parts[1]), parts[0]))
                    .toList();
        }
    }

    /** Adds a version's examples to a set. */
    public static void addTo(ExampleSet set, Path state) throws IOException {
        read(state).forEach(entry -> set.add(entry.exampleId()));
    }

    /** Ids are hashes as a rule, but whoever writes to the topic may choose others. */
    static String escaped(String id) {
        return id.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    }

    static String unescaped(String text) {
        return text.translateEscapes();
    }
}
