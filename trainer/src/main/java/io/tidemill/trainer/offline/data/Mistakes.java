package io.tidemill.trainer.offline.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What is wrong with the data: the first few by place, all counted by kind. */
public final class Mistakes {
    private final int listed;
    private final List<String> first = new ArrayList<>();
    private final Map<String, Long> counts = new TreeMap<>();

    /** @param listed how many are named by place */
    public Mistakes(int listed) {
        this.listed = listed;
    }

    public void add(Place place, Mistake mistake) {
        counts.merge(mistake.kind(), 1L, Long::sum);
        if (first.size() < listed) {
            first.add(place + ": " + mistake.getMessage());
        }
    }

    public long count() {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    /** How many of each kind. */
    public Map<String, Long> byKind() {
        return Map.copyOf(counts);
    }

    /** The first, each with its place and what to do. */
    public List<String> first() {
        return List.copyOf(first);
    }

    /** Nothing starts where there are some, unless they are to be skipped. */
    public void check(boolean skip) {
        if (count() > 0 && !skip) {
            long more = count() - first.size();
            throw new DataException(count() + (count() == 1 ? " example" : " examples")
                    + " cannot be used; nothing was started. Mend them, or go on without them by --skip-invalid.\n  "
                    + String.join("\n  ", first)
                    + (more > 0 ? "\n  and " + more + " more: " + counts : ""));
        }
    }
}
