package io.tidemill.standalone.torture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The faults of all runs, a line of JSON each, flushed before the fault happens; a second line tells what came of it, and a
 * line for each lineage whether its proof held. A line that a kill of the harness cut short is passed over.
 */
final class FaultLedger {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final List<JsonNode> lines = new ArrayList<>();

    FaultLedger(Path file) {
        this.file = file;
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            if (Files.exists(file)) {
                for (String line : Files.readAllLines(file)) {
                    parse(line).ifPresent(lines::add);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<JsonNode> parse(String line) {
        try {
            return Optional.of(JSON.readTree(line)).filter(JsonNode::isObject);
        } catch (JsonProcessingException cutShort) {
            return Optional.empty();
        }
    }

    /** Written before it happens. */
    void planned(Fault fault) {
        ObjectNode line = JSON.createObjectNode();
        line.put("fault", fault.number());
        line.put("lineage", fault.lineage());
        line.put("target", fault.target().word());
        line.put("kind", fault.kind().word());
        line.put("seed", fault.seed());
        line.put("at", now());
        append(line);
    }

    /**
     * What came of a fault.
     *
     * @param hit             what the process was doing, and what was damaged
     * @param recoverySeconds from the fault, or its end, until it worked again; NaN where the next fault came first
     * @param result          "recovered", "overtaken" by the next fault, or what went wrong
     */
    void outcome(Fault fault, String hit, double recoverySeconds, String result) {
        ObjectNode line = JSON.createObjectNode();
        line.put("outcome", fault.number());
        line.put("lineage", fault.lineage());
        line.put("hit", hit);
        if (!Double.isNaN(recoverySeconds)) {
            line.put("recovery_seconds", Math.round(recoverySeconds * 1000) / 1000.0);
        }
        line.put("result", result);
        append(line);
    }

    /** What the proof of a lineage found; no flaw is what it is for. */
    void proof(String lineage, Target target, Proof proof) {
        ObjectNode line = JSON.createObjectNode();
        line.put("proof", proof.flaws().isEmpty() ? "holds" : "fails");
        line.put("lineage", lineage);
        line.put("target", target.word());
        line.put("versions", proof.versions());
        line.put("rebuilt", proof.rebuilt());
        line.put("accepted", proof.accepted());
        line.put("examples", proof.examples());
        line.put("at", now());
        proof.flaws().forEach(line.withArray("flaws")::add);
        append(line);
    }

    private static String now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private void append(ObjectNode line) {
        lines.add(line);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long end = channel.size();
            ByteBuffer last = ByteBuffer.allocate(1);
            boolean whole = end == 0 || (channel.read(last, end - 1) == 1 && last.get(0) == '\n');
            ByteBuffer bytes = ByteBuffer.wrap(((whole ? "" : "\n") + line + "\n").getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                end += channel.write(bytes, end);
            }
            channel.force(true);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write the ledger " + file + ": " + e.getMessage(), e);
        }
    }

    // ---- what it says -----------------------------------------------------------------------------------------------

    /** Faults of a target whose outcome is known. */
    long count(Target target) {
        Map<String, String> targets = targets();
        return lines.stream()
                .filter(line -> line.has("outcome"))
                .filter(line -> target.word().equals(targets.get(key(line, "outcome"))))
                .count();
    }

    /** Faults of a lineage that were planned. */
    int planned(String lineage) {
        return (int) lines.stream()
                .filter(line ->
                        line.has("fault") && line.path("lineage").asText().equals(lineage))
                .count();
    }

    /** Lineages of a target that have a proof, whatever it says. */
    long proven(Target target) {
        return lines.stream()
                .filter(line ->
                        line.has("proof") && line.path("target").asText().equals(target.word()))
                .count();
    }

    /** The lineage of a target that has faults, but no proof yet. */
    Optional<String> unproven(Target target) {
        String last = null;
        for (JsonNode line : lines) {
            boolean ofTarget = line.path("target").asText().equals(target.word());
            if (ofTarget && line.has("fault")) {
                last = line.path("lineage").asText();
            } else if (ofTarget
                    && line.has("proof")
                    && line.path("lineage").asText().equals(last)) {
                last = null;
            }
        }
        return Optional.ofNullable(last);
    }

    /** What is wrong: faults that were not recovered from, and proofs that failed. */
    List<String> flaws() {
        List<String> flaws = new ArrayList<>();
        for (JsonNode line : lines) {
            String result = line.path("result").asText();
            if (line.has("outcome") && !result.equals("recovered") && !result.equals("overtaken")) {
                flaws.add("fault " + line.path("outcome").asInt() + " of "
                        + line.path("lineage").asText() + ": " + result);
            }
            line.path("flaws").forEach(flaw -> flaws.add(line.path("lineage").asText() + ": " + flaw.asText()));
        }
        return flaws;
    }

    private Map<String, String> targets() {
        Map<String, String> targets = new HashMap<>();
        lines.stream()
                .filter(line -> line.has("fault"))
                .forEach(line ->
                        targets.put(key(line, "fault"), line.path("target").asText()));
        return targets;
    }

    private static String key(JsonNode line, String number) {
        return line.path("lineage").asText() + "#" + line.path(number).asInt();
    }

    /** All runs together, for people. */
    String summary() {
        Map<String, JsonNode> planned = new HashMap<>();
        Map<String, Row> rows = new TreeMap<>();
        Map<String, long[]> proofs = new TreeMap<>();
        for (JsonNode line : lines) {
            if (line.has("fault")) {
                planned.put(key(line, "fault"), line);
            } else if (line.has("outcome") && planned.containsKey(key(line, "outcome"))) {
                JsonNode fault = planned.get(key(line, "outcome"));
                String target = fault.path("target").asText();
                for (String kind : List.of(fault.path("kind").asText(), "~ all")) {
                    rows.computeIfAbsent(target + "\t" + kind, name -> new Row())
                            .add(line);
                }
            } else if (line.has("proof")) {
                long[] sums = proofs.computeIfAbsent(line.path("target").asText(), target -> new long[6]);
                sums[line.path("proof").asText().equals("holds") ? 0 : 1]++;
                sums[2] += line.path("versions").asLong();
                sums[3] += line.path("rebuilt").asLong();
                sums[4] += line.path("accepted").asLong();
                sums[5] += line.path("examples").asLong();
            }
        }
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%-8s %-16s %7s %10s %10s %7s %30s%n",
                "target",
                "kind",
                "faults",
                "recovered",
                "overtaken",
                "failed",
                "recovery median/p95/max s"));
        rows.forEach((name, row) -> text.append(row.line(name.split("\t"))));
        proofs.forEach((target, sums) -> text.append(String.format(
                Locale.ROOT,
                "%s: proofs of %d lineages hold, of %d fail; %,d accepted records, %,d examples, %d versions, %d rebuilt bit for bit%n",
                target,
                sums[0],
                sums[1],
                sums[4],
                sums[5],
                sums[2],
                sums[3])));
        return text.toString();
    }

    /** Faults of a kind. */
    private static final class Row {
        private final List<Double> seconds = new ArrayList<>();
        private int faults;
        private int overtaken;
        private int failed;

        void add(JsonNode outcome) {
            faults++;
            switch (outcome.path("result").asText()) {
                case "recovered" -> seconds.add(outcome.path("recovery_seconds").asDouble());
                case "overtaken" -> overtaken++;
                default -> failed++;
            }
        }

        String line(String[] name) {
            List<Double> sorted = seconds.stream().sorted().toList();
            String times = sorted.isEmpty()
                    ? "-"
                    : String.format(
                            Locale.ROOT,
                            "%.1f / %.1f / %.1f",
                            at(sorted, 0.5),
                            at(sorted, 0.95),
                            sorted.get(sorted.size() - 1));
            return String.format(
                    Locale.ROOT,
                    "%-8s %-16s %7d %10d %10d %7d %30s%n",
                    name[0],
                    name[1],
                    faults,
                    seconds.size(),
                    overtaken,
                    failed,
                    times);
        }

        private static double at(List<Double> sorted, double share) {
            return sorted.get((int) Math.min(sorted.size() - 1, Math.floor(share * sorted.size())));
        }
    }
}
