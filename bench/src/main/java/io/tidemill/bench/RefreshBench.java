package io.tidemill.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.base.DemoNovel;
import io.tidemill.model.base.GrammarCorrections;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.Split;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * From a human choice to the first answer of a served, gated version that has learned it: goal P1. Asks a running mill,
 * which starts a round by every {@code --choices} preferences:
 *
 * <pre>
 *   ./tidemill up --data DIR -Dtrainer.round.minimum-preferences=10 -Dtrainer.gate.maximum-pairs=300
 *   bench/run RefreshBench --refreshes 100 --choices 10 --ledger refreshes.jsonl
 * </pre>
 *
 * <p>First the exam: {@code --pairs} preferences and {@code --passages} documents of groups that the split holds out, so that
 * the gate has its full size. Then refresh after refresh: choices are posted, and the clock runs from just before the last of
 * them, the named choice, until a chat is answered by a version whose round began after it. Where the time goes is read
 * off the trainer's own phases, as {@code GET /v1/loop} tells them ten times a second. A refused round counts apart, with its time.
 *
 * <p>Settings: {@code --url}, {@code --refreshes}, {@code --choices}, {@code --pairs} (300), {@code --passages} (300),
 * {@code --salt}, {@code --share} (of the split), {@code --ledger} (a line of JSON a refresh; a run
 * goes on where the ledger's last line stands, on the same mill, and sums over all of it).
 */
final class RefreshBench {
    private static final String PROMPT = "Write this sentence in correct English.";
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final long POLL_MILLIS = 100; // more often is felt by what is measured

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String url;
    private final Path ledger;
    private int failures;

    private RefreshBench(String url, Path ledger) {
        this.url = url;
        this.ledger = ledger;
    }

    public static void main(String[] arguments) throws Exception {
        Flags flags = new Flags(
                arguments, Set.of("url", "refreshes", "choices", "pairs", "passages", "salt", "share", "ledger"));
        RefreshBench bench = new RefreshBench(
                flags.text("url", "http://127.0.0.1:8080"), Path.of(flags.text("ledger", "refreshes.jsonl")));
        SplitFunction split = new SplitFunction(flags.text("salt", "tidemill"), flags.real("share", 0.05));
        List<Correction> exam = new ArrayList<>();
        List<Correction> learned = new ArrayList<>();
        for (Correction correction : GrammarCorrections.all()) {
            (split.of(correction.ruleId()) == Split.HELD_OUT ? exam : learned).add(correction);
        }
        Collections.shuffle(learned, new Random(1));
        int done = bench.done();
        if (done == 0) {
            bench.exam(split, exam, flags.number("pairs", 300), flags.number("passages", 300));
        }
        int choices = flags.number("choices", 10);
        int last = Math.min(done + flags.number("refreshes", 100), learned.size() / choices);
        for (int i = done; i < last; i++) {
            bench.refresh(learned.subList(i * choices, (i + 1) * choices));
        }
        bench.summary();
    }

    private int done() throws IOException {
        return Files.exists(ledger) ? Files.readAllLines(ledger).size() : 0;
    }

    // ---- the exam ---------------------------------------------------------------------------------------------------

    /** Held-out examples start no round by themselves; the first refresh waits for them. */
    private void exam(SplitFunction split, List<Correction> corrections, int pairs, int passages) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < pairs; i++) {
            Correction one = corrections.get(i % corrections.size());
            ObjectNode pair = preference(one);
            pair.put("id", "exam-" + i);
            lines.append(pair).append('\n');
        }
        post("/v1/preferences", lines.toString(), "application/x-ndjson", 202);
        lines.setLength(0);
        List<CorpusDocument> novel = DemoNovel.documents().toList();
        for (int i = 0; i < passages; i++) {
            ObjectNode document = json.createObjectNode();
            document.put("document_id", "exam-passage-" + i);
            document.put("text", novel.get(i % novel.size()).text());
            document.put("group_id", heldOutGroup(split, i));
            lines.append(document).append('\n');
        }
        post("/v1/documents", lines.toString(), "application/x-ndjson", 202);
        Instant until = Instant.now().plus(PATIENCE);
        long seen = -1;
        for (int settled = 0; settled < 20 && Instant.now().isBefore(until); ) {
            long now = get("/v1/loop")
                    .path("round")
                    .path("waiting")
                    .path("held-out")
                    .asLong();
            settled = now == seen && now > 0 ? settled + 1 : 0;
            seen = now;
            Thread.sleep(500);
        }
        System.out.printf(Locale.ROOT, "The exam: %d held-out records wait for the gate.%n", seen);
    }

    private static String heldOutGroup(SplitFunction split, int number) {
        for (int i = 0; ; i++) {
            String group = "exam-" + number + "-" + i;
            if (split.of(group) == Split.HELD_OUT) {
                return group;
            }
        }
    }

    private ObjectNode preference(Correction correction) {
        ObjectNode pair = json.createObjectNode();
        pair.put("prompt", PROMPT);
        pair.put("chosen", correction.corrected());
        pair.put("rejected", correction.original());
        pair.put("group_id", correction.ruleId());
        return pair;
    }

    // ---- one refresh ------------------------------------------------------------------------------------------------

    private void refresh(List<Correction> choices) throws Exception {
        String before = served();
        StringBuilder lines = new StringBuilder();
        for (Correction choice : choices.subList(0, choices.size() - 1)) {
            lines.append(preference(choice)).append('\n');
        }
        if (lines.length() > 0) {
            post("/v1/preferences", lines.toString(), "application/x-ndjson", 202);
        }
        long start = System.nanoTime();
        Instant named = Instant.now();
        post("/v1/preferences", preference(choices.get(choices.size() - 1)).toString(), "application/json", 202);

        Map<String, Double> phases = new LinkedHashMap<>();
        String outcome = follow(before, named, start, phases);
        ObjectNode line = json.createObjectNode();
        line.put("at", named.toString());
        line.put("before", before);
        line.put("outcome", outcome);
        line.put("seconds", (System.nanoTime() - start) * 1e-9);
        phases.forEach(line::put);
        Files.writeString(ledger, line + "\n", UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        System.out.println(line);
        if (!outcome.equals("promoted")) {
            if (++failures > 20) {
                throw new IllegalStateException("More than 20 rounds were not promoted; the last: " + outcome);
            }
            settle();
        }
    }

    /** What was refused is tried again in halves, which are no refreshes of ours. */
    private void settle() throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (int quiet = 0; quiet < 50 && System.nanoTime() < deadline; ) {
            String phase = get("/v1/loop").path("round").path("phase").asText();
            quiet = phase.equalsIgnoreCase("waiting") ? quiet + 1 : 0;
            Thread.sleep(POLL_MILLIS);
        }
    }

    /** Until the choice's round has ended and, if it was promoted, its version answers. */
    private String follow(String before, Instant named, long start, Map<String, Double> phases) throws Exception {
        String phase = "waiting";
        long since = start;
        long deadline = start + PATIENCE.toNanos();
        String trained = "";
        while (System.nanoTime() < deadline) {
            JsonNode loop = get("/v1/loop");
            JsonNode round = loop.path("round");
            String now = round.path("phase").asText().toLowerCase(Locale.ROOT);
            boolean ours = round.path("started").isTextual()
                    && Instant.parse(round.path("started").asText()).isAfter(named);
            String told = ours ? now : "waiting";
            if (!told.equals(phase)) {
                long at = System.nanoTime();
                phases.merge(phase + "_seconds", (at - since) * 1e-9, Double::sum);
                phase = told;
                since = at;
            }
            if (ours && trained.isEmpty()) {
                trained = round.path("version").asText();
            }
            if (ours && now.equals("failed")) {
                return round.path("message").asText();
            }
            for (JsonNode version : loop.path("versions")) { // that phase is short
                if (version.path("version").asText().equals(trained)
                        && version.path("state").asText().equals("refused")) {
                    return version.path("reason").asText();
                }
            }
            boolean switched =
                    !before.equals(loop.path("served").path("version").asText());
            if (ours && switched && !before.equals(served())) { // a person's first answer by it
                phases.merge("switch_seconds", (System.nanoTime() - since) * 1e-9, Double::sum);
                return "promoted";
            }
            Thread.sleep(POLL_MILLIS);
        }
        return "nothing for " + PATIENCE.toMinutes() + " minutes";
    }

    /** The version that answers. */
    private String served() throws Exception {
        String body =
                """
                {"messages": [{"role": "user", "content": "Good?"}], "max_tokens": 1, "store": false}""";
        return post("/v1/chat/completions", body, "application/json", 200)
                .path("system_fingerprint")
                .asText();
    }

    // ---- the sum ----------------------------------------------------------------------------------------------------

    private void summary() throws IOException {
        List<JsonNode> promoted = new ArrayList<>();
        Map<String, Integer> outcomes = new TreeMap<>();
        for (String line : Files.readAllLines(ledger)) {
            JsonNode one = json.readTree(line);
            boolean passed = one.path("outcome").asText().equals("promoted");
            outcomes.merge(passed ? "promoted" : "not promoted", 1, Integer::sum);
            if (passed) {
                promoted.add(one);
            }
        }
        System.out.println(outcomes);
        Set<String> names = new TreeSet<>();
        promoted.forEach(one -> one.fieldNames().forEachRemaining(name -> {
            if (name.endsWith("seconds")) {
                names.add(name);
            }
        }));
        for (String name : names) {
            double[] values = promoted.stream()
                    .mapToDouble(one -> one.path(name).asDouble())
                    .sorted()
                    .toArray();
            System.out.printf(
                    Locale.ROOT,
                    "%-22s median %.2f  p95 %.2f  mean %.2f  (%d)%n",
                    name,
                    values[values.length / 2],
                    values[Math.min(values.length - 1, (int) Math.ceil(0.95 * values.length) - 1)],
                    Arrays.stream(values).average().orElse(0),
                    values.length);
        }
    }

    private JsonNode get(String path) throws Exception {
        return read(HttpRequest.newBuilder(URI.create(url + path)).build(), 200);
    }

    private JsonNode post(String path, String body, String type, int expected) throws Exception {
        return read(
                HttpRequest.newBuilder(URI.create(url + path))
                        .header("content-type", type)
                        .POST(BodyPublishers.ofString(body, UTF_8))
                        .build(),
                expected);
    }

    private JsonNode read(HttpRequest request, int expected) throws Exception {
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString(UTF_8));
        if (response.statusCode() != expected) {
            throw new IOException(request.uri() + " answered " + response.statusCode() + ": " + response.body());
        }
        return json.readTree(response.body());
    }
}
