package io.tidemill.auditor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an audit found.
 *
 * @param model       name of the lineage
 * @param live        version that is live
 * @param examples    records that rounds learn from, by topic and by what became of them
 * @param events      what people and programs have sent, by topic and by what became of it; empty where not asked for
 * @param findings    what does not hold, a sentence each; empty where the ledger closes
 * @param uncheckable what could not be looked at any more, a sentence each
 */
public record Report(
        String model,
        String live,
        Map<String, Map<String, Long>> examples,
        Map<String, Map<String, Long>> events,
        List<String> findings,
        List<String> uncheckable) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    public Report {
        examples = Collections.unmodifiableMap(new TreeMap<>(examples)); // in an order that stays
        events = Collections.unmodifiableMap(new TreeMap<>(events));
        findings = List.copyOf(findings);
        uncheckable = List.copyOf(uncheckable);
    }

    /** Is every example and every event accounted for? */
    public boolean closes() {
        return findings.isEmpty();
    }

    /** Records of these topics with this outcome, for instance {@code "trained"}. */
    public static long count(Map<String, Map<String, Long>> topics, String outcome) {
        return topics.values().stream()
                .mapToLong(outcomes -> outcomes.getOrDefault(outcome, 0L))
                .sum();
    }

    /** For a terminal, a line each. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(live + " and its ancestors");
        table(lines, "examples", examples);
        table(lines, "events", events);
        uncheckable.forEach(sentence -> lines.add("cannot be checked: " + sentence));
        findings.forEach(sentence -> lines.add("FINDING: " + sentence));
        lines.add(
                closes()
                        ? "The ledger closes."
                        : "The ledger does not close: " + findings.size()
                                + (findings.size() == 1 ? " finding." : " findings."));
        return lines;
    }

    private static void table(List<String> lines, String title, Map<String, Map<String, Long>> topics) {
        topics.forEach((topic, outcomes) -> {
            long received =
                    outcomes.values().stream().mapToLong(Long::longValue).sum();
            StringBuilder line =
                    new StringBuilder(String.format(Locale.ROOT, "%-8s  %s: %,d received", title, topic, received));
            String sign = " = ";
            for (Map.Entry<String, Long> outcome : outcomes.entrySet()) {
                line.append(sign).append(String.format(Locale.ROOT, "%,d %s", outcome.getValue(), outcome.getKey()));
                sign = " + ";
            }
            lines.add(line.toString());
        });
    }

    public String json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("closes", closes());
        json.put("model", model);
        json.put("live", live);
        json.put("examples", examples);
        json.put("events", events);
        json.put("findings", findings);
        json.put("uncheckable", uncheckable);
        try {
            return JSON.writeValueAsString(json) + "\n";
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("Names and numbers always have a JSON form", impossible);
        }
    }
}
