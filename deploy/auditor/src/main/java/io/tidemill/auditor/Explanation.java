package io.tidemill.auditor;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SuiteResult;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * From a version to the events that it learned from.
 *
 * @param state     the last that was announced of it, with its reason
 * @param isLive    does it or a descendant of it serve?
 * @param parents   its ancestors, its parent first
 * @param slices    what it has read, as topic-partition:from..to with the number of records
 * @param examples  by what became of them, as announced
 * @param sources   examples trained, by their source
 * @param suites    the gate's, a sentence each
 * @param events    that its examples were made of
 * @param unlogged  examples of its ledger that are no longer in the log
 */
public record Explanation(
        String version,
        String state,
        String reason,
        String announced,
        boolean isLive,
        List<String> parents,
        List<String> slices,
        Map<String, Long> examples,
        Map<String, Long> sources,
        List<String> suites,
        List<Event> events,
        long unlogged) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    public Explanation {
        parents = List.copyOf(parents);
        slices = List.copyOf(slices);
        examples = Collections.unmodifiableMap(new TreeMap<>(examples));
        sources = Collections.unmodifiableMap(new TreeMap<>(sources));
        suites = List.copyOf(suites);
        events = List.copyOf(events);
    }

    /**
     * An event that examples of the version were made of.
     *
     * @param at     topic-partition:offset of each of its records; empty where the log has none any more
     * @param stages of its examples, or {@code replayed: <stage>}
     */
    public record Event(String id, List<String> at, List<String> stages) {
        public Event {
            at = List.copyOf(at);
            stages = List.copyOf(stages);
        }

        /** Was something of it learned? */
        @JsonIgnore
        public boolean isTrained() {
            return stages.stream().anyMatch(stage -> Stages.isTrained(stage) || stage.startsWith(Search.REPLAYED));
        }
    }

    /** Explains a version of the lineage, live or not. */
    public static Explanation of(AuditSettings settings, String version) {
        try (Index index = Index.open(settings)) {
            CheckpointEvent event = index.course().announced().get(version);
            if (event == null) {
                throw new AuditException("No version " + version + " of " + index.model() + " was ever announced; the"
                        + " newest that serves is " + index.course().live() + ".");
            }
            return new Search(index, event).run();
        }
    }

    private static final class Search {
        private static final String REPLAYED = "replayed: ";

        private final Index index;
        private final CheckpointEvent event;
        private final Map<IdTable.Key, String> stages = new LinkedHashMap<>(); // by example id
        private final Map<IdTable.Key, String> replays = new LinkedHashMap<>();
        private final Spans slice = new Spans();
        private final Map<String, Long> sources = new TreeMap<>();
        private final Map<String, List<String>> stagesByEvent = new LinkedHashMap<>();
        private final Map<String, List<String>> placesByEvent = new LinkedHashMap<>();

        Search(Index index, CheckpointEvent event) {
            this.index = index;
            this.event = event;
            slice.add(Span.of(event.getLineage().getSlicesList()));
            index.store()
                    .examples(event.getVersion(), line -> stages.put(IdTable.Key.of(line.exampleId()), line.stage()));
            index.store()
                    .replayed(event.getVersion(), line -> replays.put(IdTable.Key.of(line.exampleId()), line.stage()));
        }

        Explanation run() {
            Topics topics = index.topics();
            Frozen outputs = index.log().freeze(topics.ofExamples());
            index.log().read(topics.ofExamples(), outputs, this::takeExample);
            Frozen sourceEnds = index.log().freeze(topics.ofEvents());
            index.log().read(topics.ofEvents(), sourceEnds, this::takeEvent);
            List<Event> events = new ArrayList<>();
            stagesByEvent.forEach((id, found) -> events.add(new Event(
                    id,
                    placesByEvent.getOrDefault(id, List.of()),
                    found.stream().distinct().toList())));
            CheckpointEvent newest = index.course().newest(event.getVersion()).orElseThrow();
            List<String> descent = index.course().descent(event.getVersion());
            return new Explanation(
                    event.getVersion(),
                    newest.getState().toString(),
                    newest.getReason(),
                    Timestamps.toString(event.getEventTime()),
                    index.course().ancestry().contains(event.getVersion()),
                    descent.subList(1, descent.size()),
                    event.getLineage().getSlicesList().stream()
                            .map(range -> Span.of(range) + ", " + range.getRecords() + " records")
                            .toList(),
                    event.getLineage().getExamplesMap(),
                    sources,
                    event.getVerdict().getSuitesList().stream()
                            .map(Search::suite)
                            .toList(),
                    events,
                    stages.size() + replays.size());
        }

        /** Each example of the ledger counts once: what the log has of it is taken out. */
        private void takeExample(ConsumerRecord<byte[], byte[]> record) {
            Example example = Example.of(record, index.topics(), Integer.MAX_VALUE);
            if (example.id().isEmpty()) {
                return;
            }
            IdTable.Key key = IdTable.Key.of(example.id());
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            String stage = slice.contains(partition, record.offset()) ? stages.remove(key) : null;
            String replayed = replays.remove(key);
            if (stage != null) {
                note(example, stage);
                if (Stages.isTrained(stage)) {
                    String source = example.provenance().getSource();
                    sources.merge(source.isEmpty() ? "unnamed" : source, 1L, Long::sum);
                }
            }
            if (replayed != null) {
                note(example, REPLAYED + replayed);
            }
        }

        private void note(Example example, String stage) {
            example.parents().forEach(parent -> stagesByEvent
                    .computeIfAbsent(parent, none -> new ArrayList<>())
                    .add(stage));
        }

        private void takeEvent(ConsumerRecord<byte[], byte[]> record) {
            io.tidemill.auditor.Event.of(record, index.topics())
                    .filter(found -> stagesByEvent.containsKey(found.id()))
                    .ifPresent(found -> placesByEvent
                            .computeIfAbsent(found.id(), none -> new ArrayList<>())
                            .add(record.topic() + "-" + record.partition() + ":" + record.offset()));
        }

        private static String suite(SuiteResult suite) {
            return String.format(
                    Locale.ROOT,
                    "%s %s: %.4f → %.4f %s against %s, %d examples; %s",
                    suite.getSuite(),
                    suite.getPassed() ? "passed" : "FAILED",
                    suite.getBefore(),
                    suite.getAfter(),
                    suite.getUnit(),
                    suite.getAgainst().isEmpty() ? "the parent" : suite.getAgainst(),
                    suite.getExamples(),
                    suite.getRule());
        }
    }

    /**
     * For a terminal, a line each.
     *
     * @param most events that are listed
     */
    public List<String> lines(int most) {
        List<String> lines = new ArrayList<>();
        lines.add(version + "  " + state + (isLive ? ", in the live ancestry" : "") + ", announced " + announced);
        if (!reason.isEmpty()) {
            lines.add("reason   " + reason);
        }
        lines.add("parents  " + (parents.isEmpty() ? "none: the base of its lineage" : String.join(" ← ", parents)));
        slices.forEach(slice -> lines.add("slice    " + slice));
        if (!examples.isEmpty()) {
            lines.add("examples " + counts(examples));
        }
        if (!sources.isEmpty()) {
            lines.add("trained  by source: " + counts(sources));
        }
        suites.forEach(suite -> lines.add("suite    " + suite));
        if (unlogged > 0) {
            lines.add(unlogged + " examples of its ledger are no longer in the log.");
        }
        long trained = events.stream().filter(Event::isTrained).count();
        lines.add(events.size() + " events, " + trained + " of them trained");
        events.stream()
                .limit(most)
                .forEach(event -> lines.add("event    " + event.id + "  at "
                        + (event.at.isEmpty() ? "no offset any more" : String.join(", ", event.at)) + "  "
                        + String.join(", ", event.stages)));
        if (events.size() > most) {
            lines.add("… and " + (events.size() - most) + " more (--events lists all)");
        }
        return lines.stream().map(Findings::oneLine).toList();
    }

    private static String counts(Map<String, Long> counts) {
        return counts.entrySet().stream()
                .map(count -> String.format(Locale.ROOT, "%,d %s", count.getValue(), count.getKey()))
                .collect(Collectors.joining(", "));
    }

    public String json() {
        try {
            return JSON.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("Names and numbers always have a JSON form", impossible);
        }
    }
}
