package io.tidemill.trainer.round;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.gate.Binomial;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How often the gate blocks a refresh that is as good as any, and how often it lets a sabotaged one through. Refreshes add up
 * over runs in a ledger, one JSON line each.
 *
 * <pre>  GateCampaign work=DIR ledger=FILE [size=small|embedded|test] [minutes=30] [tries=N] [honest=10] [pairs=64] [harm=true]
 *          [kinds=none,sign-flip,…]  </pre>
 *
 * <p>{@code honest} refreshes with another seed come for each of the sabotaged ones; {@code minutes=0} only sums up, and
 * {@code tries} ends it earlier. With {@code pairs} a refresh learns from so many; with {@code harm} pairs that nobody has
 * seen are asked what it really did. Goal R7.
 */
final class GateCampaign {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RefreshRig rig;
    private final String size;
    private final Path ledger;
    private final int pairs;
    private final boolean harm;

    private GateCampaign(RefreshRig rig, String size, Path ledger, int pairs, boolean harm) {
        this.rig = rig;
        this.size = size;
        this.ledger = ledger;
        this.pairs = pairs;
        this.harm = harm;
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, String> given = new HashMap<>();
        for (String argument : arguments) {
            given.put(argument.substring(0, argument.indexOf('=')), argument.substring(argument.indexOf('=') + 1));
        }
        Path ledger = Path.of(given.get("ledger"));
        String size = given.getOrDefault("size", "small");
        double minutes = Double.parseDouble(given.getOrDefault("minutes", "30"));
        if (minutes > 0) {
            List<String> kinds = given.containsKey("kinds")
                    ? List.of(given.get("kinds").split(","))
                    : List.of(Sabotage.values()).stream().map(Sabotage::label).toList();
            RefreshRig.Size chosen =
                    switch (size) {
                        case "embedded" -> RefreshRig.Size.EMBEDDED;
                        case "small" -> RefreshRig.Size.SMALL;
                        case "test" -> RefreshRig.Size.TEST;
                        default ->
                            throw new IllegalArgumentException("size must be small, embedded or test, but is " + size);
                    };
            try (RefreshRig rig = RefreshRig.in(Path.of(given.get("work")), chosen)) {
                int pairs = Integer.parseInt(given.getOrDefault("pairs", String.valueOf(chosen.refreshPairs())));
                new GateCampaign(rig, size, ledger, pairs, given.containsKey("harm"))
                        .run(
                                schedule(kinds, Integer.parseInt(given.getOrDefault("honest", "10"))),
                                minutes,
                                Integer.parseInt(given.getOrDefault("tries", String.valueOf(Integer.MAX_VALUE))));
            }
        }
        summarize(ledger, size);
    }

    /** What comes after each other, again and again. */
    private static List<Sabotage> schedule(List<String> kinds, int honest) {
        List<Sabotage> schedule = new ArrayList<>();
        for (Sabotage sabotage : Sabotage.values()) {
            if (kinds.contains(sabotage.label())) {
                for (int i = 0; i < (sabotage == Sabotage.NONE ? honest : 1); i++) {
                    schedule.add(sabotage);
                }
            }
        }
        return schedule;
    }

    private void run(List<Sabotage> schedule, double minutes, int tries) throws IOException {
        long end = System.nanoTime() + (long) (60e9 * minutes);
        Map<String, Integer> done = new HashMap<>();
        for (JsonNode line : read(ledger, size)) {
            done.merge(line.path("sabotage").asText(), 1, Integer::sum);
        }
        for (int turn = 0; turn < tries && System.nanoTime() < end; turn++) {
            Sabotage sabotage = schedule.get(turn % schedule.size());
            int number = done.merge(sabotage.label(), 1, Integer::sum);
            long seed = 1_000L * (1 + sabotage.ordinal()) * 1_000_003L + number;
            long start = System.nanoTime();
            RefreshRig.Outcome outcome = rig.refresh(sabotage, seed, pairs, harm);
            List<CheckpointEvent> events = outcome.events();
            double seconds = (System.nanoTime() - start) * 1e-9;
            ObjectNode line = line(sabotage, seed, events, seconds);
            outcome.harm().ifPresent(measured -> line.set("harm", JSON.valueToTree(measured)));
            Files.writeString(
                    ledger, JSON.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            System.out.printf(
                    Locale.ROOT,
                    "%s %d: %s after %d, %.1f s%s%n",
                    sabotage.label(),
                    number,
                    line.path("passed").asBoolean() ? "passed" : "refused",
                    events.size(),
                    seconds,
                    line.path("passed").asBoolean() ? "" : " by " + line.path("by"));
        }
    }

    private ObjectNode line(Sabotage sabotage, long seed, List<CheckpointEvent> events, double seconds) {
        CheckpointEvent last = events.get(events.size() - 1);
        ObjectNode line = JSON.createObjectNode()
                .put("time", Instant.now().toString())
                .put("size", size)
                .put("sabotage", sabotage.label())
                .put("seed", seed)
                .put("pairs", pairs)
                .put("rounds", events.size())
                .put("passed", last.getState() == VersionState.PROMOTED)
                .put("seconds", Math.round(10 * seconds) / 10.0);
        ArrayNode by = line.putArray("by");
        ArrayNode suites = line.putArray("suites");
        for (SuiteResult suite : last.getVerdict().getSuitesList()) {
            String name = suite.getSuite() + (suite.getAgainst().isEmpty() ? "" : " since pinned");
            if (!suite.getPassed()) {
                by.add(name);
            }
            suites.addObject()
                    .put("suite", name)
                    .put("examples", suite.getExamples())
                    .put("judged", suite.getJudged())
                    .put("passed", suite.getPassed())
                    .put("margin", suite.getMargin())
                    .put("before", suite.getBefore())
                    .put("after", suite.getAfter())
                    .put("low", suite.getDifferenceLow())
                    .put("high", suite.getDifferenceHigh());
        }
        if (last.getVerdict().getSuitesCount() == 0) {
            by.add("no number");
            line.put("reason", last.getReason());
        }
        return line;
    }

    private static List<JsonNode> read(Path ledger, String size) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        if (Files.exists(ledger)) {
            for (String line : Files.readAllLines(ledger)) {
                JsonNode json = JSON.readTree(line);
                if (json.path("size").asText().equals(size)) {
                    lines.add(json);
                }
            }
        }
        return lines;
    }

    /** The table of docs/benchmarks.md; what was really done, where pairs that nobody has seen were asked, on the right. */
    private static void summarize(Path ledger, String size) throws IOException {
        Map<String, List<JsonNode>> kinds = new LinkedHashMap<>();
        for (Sabotage sabotage : Sabotage.values()) {
            read(ledger, size).stream()
                    .filter(line -> line.path("sabotage").asText().equals(sabotage.label()))
                    .sorted(Comparator.comparing(line -> line.path("pairs").asInt(0)))
                    .forEach(line -> kinds.computeIfAbsent(
                                    sabotage.label()
                                            + (line.has("pairs")
                                                    ? ", " + line.path("pairs").asInt() + " pairs"
                                                    : ""),
                                    kind -> new ArrayList<>())
                            .add(line));
        }
        System.out.println(
                "| refresh | tries | promoted | share promoted, exact 95 % | rounds | refused by | asked of unseen pairs |"
                        + " accuracy | lead |\n|---|---:|---:|---|---|---|---:|---|---|");
        kinds.forEach(GateCampaign::summarize);
    }

    private static void summarize(String kind, List<JsonNode> tries) {
        int passed = (int)
                tries.stream().filter(line -> line.path("passed").asBoolean()).count();
        Binomial.Interval interval = Binomial.clopperPearson(passed, tries.size(), 0.95);
        Map<String, Integer> by = new TreeMap<>();
        tries.forEach(line -> line.path("by").forEach(name -> by.merge(name.asText(), 1, Integer::sum)));
        IntSummaryStatistics rounds =
                tries.stream().mapToInt(line -> line.path("rounds").asInt()).summaryStatistics();
        List<JsonNode> asked = tries.stream()
                .map(line -> line.path("harm"))
                .filter(JsonNode::isObject)
                .toList();
        System.out.printf(
                Locale.ROOT,
                "| %s | %d | %d | %.2f to %.2f %% | %d to %d | %s | %d | %s | %s |%n",
                kind,
                tries.size(),
                passed,
                100 * interval.low(),
                100 * interval.high(),
                rounds.getMin(),
                rounds.getMax(),
                by,
                asked.size(),
                change(asked, "before", "after"),
                change(asked, "marginBefore", "marginAfter"));
    }

    private static String change(List<JsonNode> asked, String before, String after) {
        DoubleSummaryStatistics changes = asked.stream()
                .mapToDouble(
                        one -> one.path(after).asDouble() - one.path(before).asDouble())
                .summaryStatistics();
        return asked.isEmpty()
                ? "–"
                : String.format(
                        Locale.ROOT,
                        "%+.4f (%+.4f to %+.4f)",
                        changes.getAverage(),
                        changes.getMin(),
                        changes.getMax());
    }
}
