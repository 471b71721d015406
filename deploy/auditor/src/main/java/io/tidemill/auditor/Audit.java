package io.tidemill.auditor;

import io.tidemill.auditor.EventPass.Told;
import io.tidemill.auditor.ExamplePass.Seen;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Proves the ledger of a lineage from log and store, beside a running mill or after it.
 *
 * <p>The order of looking is the proof's backbone: first the versions, then how far preprocessing has come, then the ends
 * of what it writes, last the ends of what it reads. So whatever is claimed by something looked at earlier is there in
 * what is looked at later; what came after counts as waiting, or not at all.
 */
public final class Audit {
    private Audit() {}

    /** Audits, and says what was found. Changes nothing, so it can be repeated at will. */
    public static Report run(AuditSettings settings) {
        return run(settings, seen -> {}, told -> {});
    }

    /**
     * Audits for listeners.
     *
     * @param examples told of each record that rounds learn from
     * @param events   told of each event
     */
    static Report run(AuditSettings settings, Consumer<Seen> examples, Consumer<Told> events) {
        try (Index index = Index.open(settings)) {
            return run(settings, index, examples, events);
        }
    }

    static Report run(AuditSettings settings, Index index, Consumer<Seen> examples, Consumer<Told> events) {
        Log log = index.log();
        Topics topics = index.topics();
        Course course = index.course();
        Findings findings = new Findings();
        Optional<Preprocessing> preprocessing =
                settings.events() ? Optional.of(new Preprocessing(log, topics)) : Optional.empty();
        Frozen outputs = log.freeze(List.of(
                topics.sequences(),
                topics.preferences(),
                topics.prompts(),
                topics.rejected(),
                topics.quarantine(),
                topics.erasures()));

        course.flaws().forEach(findings::add);
        new Announcements(course, index.store(), findings).check();
        Ledgers ledgers = new Ledgers(course.ancestry(), index.store(), findings);
        ledgers.takeRemoved(course.announced());
        ledgers.checkReplays(course.announced());
        Erasures erasures = new Erasures();
        log.read(List.of(topics.erasures()), outputs, erasures::take);
        SplitCheck split = new SplitCheck(settings.splitSalt());
        new Suites(course, erasures, ledgers, split, findings).check(index.store());
        new Copies(course, erasures, topics, index.vocabulary(), findings).check(index.store());

        Quarantine quarantine = new Quarantine(topics, only(outputs, topics.quarantine()));
        log.read(List.of(topics.quarantine()), outputs, quarantine::take);

        Traces traces = new Traces(topics);
        ExamplePass examplePass = new ExamplePass(
                course, ledgers, topics, outputs, index.vocabulary(), split, erasures, quarantine, findings, seen -> {
                    if (settings.events()) {
                        traces.take(seen);
                    }
                    examples.accept(seen);
                });
        examplePass.run(log, index.store());
        split.finish(settings.heldOutShare(), findings);

        Map<String, Map<Outcome, Long>> eventOutcomes = preprocessing
                .map(progress -> events(
                        settings,
                        index,
                        outputs,
                        traces,
                        examplePass.knownSince(),
                        erasures,
                        progress,
                        findings,
                        events))
                .orElse(Map.of());
        return new Report(
                index.model(),
                course.live(),
                named(examplePass.outcomes()),
                named(eventOutcomes),
                findings.sentences(),
                findings.uncheckable());
    }

    private static Map<String, Map<Outcome, Long>> events(
            AuditSettings settings,
            Index index,
            Frozen outputs,
            Traces traces,
            long examplesKnownSince,
            Erasures erasures,
            Preprocessing preprocessing,
            Findings findings,
            Consumer<Told> listener) {
        Log log = index.log();
        Topics topics = index.topics();
        Frozen sources = log.freeze(topics.ofEvents());
        log.read(List.of(topics.rejected()), outputs, traces::takeRejected);
        EventPass pass = new EventPass(
                topics,
                traces,
                examplesKnownSince,
                erasures,
                preprocessing,
                only(outputs, topics.rejected()),
                settings.now().minus(settings.completionRetention()),
                findings,
                listener);
        pass.run(log, sources);
        log.read(List.of(topics.preferences()), outputs, pass::checkCorrection);
        if (traces.unmatched() > 0) {
            nothingElse(index, outputs, sources, traces, findings);
        }
        return pass.outcomes();
    }

    /** Names the examples whose parents nobody has sent. */
    private static void nothingElse(Index index, Frozen outputs, Frozen sources, Traces traces, Findings findings) {
        if (sources.hasLost()) {
            findings.uncheckable(traces.unmatched() + " events that examples name as their parents are not in the log,"
                    + " of which retention has taken a part.");
            return;
        }
        Topics topics = index.topics();
        index.log().read(List.of(topics.sequences(), topics.preferences()), outputs, record -> {
            Example example = Example.of(record, topics, index.vocabulary());
            List<String> without = traces.parentsWithoutEvent(example);
            if (!without.isEmpty()) {
                findings.add("Example " + example.id() + " at " + record.topic() + "-" + record.partition() + ":"
                        + record.offset() + " is made of " + String.join(", ", without)
                        + ", which nobody has sent, or not as often.");
            }
        });
    }

    private static Frozen only(Frozen frozen, String topic) {
        Map<TopicPartition, Long> beginnings = new LinkedHashMap<>(frozen.beginnings());
        beginnings.keySet().removeIf(partition -> !partition.topic().equals(topic));
        Map<TopicPartition, Long> ends = new LinkedHashMap<>(frozen.ends());
        ends.keySet().removeIf(partition -> !partition.topic().equals(topic));
        return new Frozen(beginnings, ends);
    }

    private static Map<String, Map<String, Long>> named(Map<String, Map<Outcome, Long>> outcomes) {
        Map<String, Map<String, Long>> named = new TreeMap<>();
        outcomes.forEach((topic, counts) -> {
            Map<String, Long> names = new LinkedHashMap<>();
            new EnumMap<>(counts).forEach((outcome, count) -> names.put(outcome.toString(), count));
            named.put(topic, names);
        });
        return named;
    }

    /**
     * The same as a program: {@code --data DIR --bootstrap-servers HOST:PORT [--topic-prefix P] [--model NAME] [--json
     * FILE] [--split-salt S] [--held-out-share X] [--examples-only]}. Exit status 0 if the ledger closes, 1 if not, 2 if
     * it cannot be told.
     */
    public static void main(String[] arguments) {
        System.exit(run(arguments, System.out, System.err));
    }

    static int run(String[] arguments, PrintStream out, PrintStream err) {
        Map<String, String> options = new TreeMap<>();
        for (int i = 0; i < arguments.length; i++) {
            boolean alone = arguments[i].equals("--examples-only") || i + 1 == arguments.length;
            options.put(arguments[i], alone ? "" : arguments[++i]);
        }
        AuditSettings settings = AuditSettings.of(
                        Path.of(options.getOrDefault("--data", "tidemill-data")),
                        options.getOrDefault("--bootstrap-servers", "127.0.0.1:9092"))
                .withTopicPrefix(options.getOrDefault("--topic-prefix", "tidemill."))
                .withModel(Optional.ofNullable(options.get("--model")))
                .withSplit(
                        options.getOrDefault("--split-salt", "tidemill"),
                        options.containsKey("--held-out-share")
                                ? OptionalDouble.of(Double.parseDouble(options.get("--held-out-share")))
                                : OptionalDouble.empty());
        try {
            Report report = run(options.containsKey("--examples-only") ? settings.withoutEvents() : settings);
            report.lines().forEach(out::println);
            if (options.containsKey("--json")) {
                Files.writeString(Path.of(options.get("--json")), report.json());
            }
            return report.closes() ? 0 : 1;
        } catch (AuditException | IOException e) {
            err.println("audit: " + e.getMessage());
            return 2;
        }
    }
}
