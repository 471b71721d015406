package io.tidemill.auditor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tidemill.auditor.EventPass.Told;
import io.tidemill.auditor.ExamplePass.Seen;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * From an event to the versions that learned from it.
 *
 * @param id       that was asked for: of a document, demonstration, prompt, completion, turn, feedback or example
 * @param events   that have it
 * @param examples that have it, or that were made of it
 */
public record Where(String id, List<Event> events, List<Example> examples) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    public Where {
        events = List.copyOf(events);
        examples = List.copyOf(examples);
    }

    /**
     * An event of that id, or of that turn.
     *
     * @param at      topic-partition:offset
     * @param outcome as the audit names it
     * @param why     what is known beyond it; may be empty
     */
    public record Event(String id, String at, String outcome, String why) {}

    /**
     * An example made of it.
     *
     * @param outcome  as the audit names it
     * @param version  of the live ancestry whose slice it is in; empty where it is in none
     * @param stage    in that version's ledger; empty where there is none
     * @param replayed versions of the live ancestry that taught it once more
     * @param others   versions beside the live ancestry that have read it, with their states
     */
    public record Example(
            String id,
            String at,
            String outcome,
            String version,
            String stage,
            List<String> replayed,
            List<String> others) {
        public Example {
            replayed = List.copyOf(replayed);
            others = List.copyOf(others);
        }
    }

    /** Looks for an id in the whole log; takes as long as an audit. */
    public static Where find(AuditSettings settings, String id) {
        Search search = new Search(id);
        search.run(settings);
        if (search.hasTurn()) {
            search.run(settings); // once more: what was made of the turn's completions and feedback
        }
        return search.found();
    }

    private static final class Search {
        private final String id;
        private final Set<String> ids = new HashSet<>();
        private final Map<String, Event> events = new LinkedHashMap<>();
        private final Map<String, Seen> examples = new LinkedHashMap<>();
        private final Map<String, List<String>> replayed = new HashMap<>();
        private final Map<String, List<String>> others = new HashMap<>();

        Search(String id) {
            this.id = id;
            ids.add(id);
        }

        void run(AuditSettings settings) {
            try (Index index = Index.open(settings)) {
                Audit.run(settings, index, this::look, this::look);
                Set<String> wanted = new HashSet<>();
                examples.values().forEach(seen -> wanted.add(seen.example().id()));
                for (String version : index.course().ancestry()) {
                    index.store().replayed(version, line -> {
                        if (wanted.contains(line.exampleId())) {
                            replayed.computeIfAbsent(line.exampleId(), none -> new ArrayList<>())
                                    .add(version);
                        }
                    });
                }
                examples.forEach((at, seen) -> others.put(
                        at,
                        index.course()
                                .othersThatRead(seen.partition(), seen.record().offset())));
            }
        }

        private void look(Seen seen) {
            if (ids.contains(seen.example().id())
                    || seen.example().parents().stream().anyMatch(ids::contains)) {
                examples.put(seen.at(), seen);
            }
        }

        private void look(Told told) {
            told.event()
                    .filter(event -> ids.contains(event.id()) || event.turn().equals(id))
                    .ifPresent(event -> {
                        ids.add(event.id());
                        events.put(
                                told.at(),
                                new Event(event.id(), told.at(), told.outcome().toString(), told.why()));
                    });
        }

        boolean hasTurn() {
            return ids.size() > 1;
        }

        Where found() {
            List<Example> found = new ArrayList<>();
            examples.forEach((at, seen) -> found.add(new Example(
                    seen.example().id(),
                    at,
                    seen.outcome().toString(),
                    seen.version(),
                    seen.stage(),
                    replayed.getOrDefault(seen.example().id(), List.of()),
                    others.getOrDefault(at, List.of()))));
            return new Where(id, List.copyOf(events.values()), found);
        }
    }

    public boolean isEmpty() {
        return events.isEmpty() && examples.isEmpty();
    }

    /** For a terminal, a line each. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (Event event : events) {
            lines.add("event    " + event.id + "  at " + event.at + "  " + event.outcome
                    + (event.why.isEmpty() ? "" : ", " + event.why));
        }
        for (Example example : examples) {
            StringBuilder line =
                    new StringBuilder("example  " + example.id + "  at " + example.at + "  " + example.outcome);
            if (!example.version.isEmpty()) {
                line.append(" by ")
                        .append(example.version)
                        .append(" (")
                        .append(example.stage)
                        .append(')');
            }
            if (!example.replayed.isEmpty()) {
                line.append(", replayed by ").append(String.join(", ", example.replayed));
            }
            if (!example.others.isEmpty()) {
                line.append(", also read by ").append(String.join(", ", example.others));
            }
            lines.add(line.toString());
        }
        if (isEmpty()) {
            lines.add(id + " is nowhere in the log.");
        }
        return lines.stream().map(Findings::oneLine).toList();
    }

    public String json() {
        try {
            return JSON.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("Names always have a JSON form", impossible);
        }
    }
}
