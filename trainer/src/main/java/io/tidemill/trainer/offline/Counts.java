package io.tidemill.trainer.offline;

import java.util.Map;
import java.util.TreeMap;

/** What became of the examples, by name, in the order of the names. */
final class Counts {
    private final Map<String, Long> counts = new TreeMap<>();

    void add(String name, long count) {
        counts.merge(name, count, Long::sum);
    }

    Map<String, Long> all() {
        return Map.copyOf(counts);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        counts.forEach((name, count) ->
                text.append(text.isEmpty() ? "" : " ").append(name).append('=').append(count));
        return text.toString();
    }
}
