package io.tidemill.auditor;

import java.util.ArrayList;
import java.util.List;

/** What does not hold, a sentence each, and what could not be looked at. Keeps the first of each and counts the rest. */
final class Findings {
    private static final int KEPT = 1_000;

    private final List<String> findings = new ArrayList<>();
    private final List<String> unchecked = new ArrayList<>();
    private long more;

    /** A lie. Names may hold anything, but a finding is one line. */
    void add(String sentence) {
        if (findings.size() < KEPT) {
            findings.add(oneLine(sentence));
        } else {
            more++;
        }
    }

    /** What can be told neither true nor false. */
    void uncheckable(String sentence) {
        if (unchecked.size() < KEPT) {
            unchecked.add(oneLine(sentence));
        }
    }

    List<String> sentences() {
        List<String> all = new ArrayList<>(findings);
        if (more > 0) {
            all.add(more + " more of the kind are left out.");
        }
        return all;
    }

    List<String> uncheckable() {
        return List.copyOf(unchecked);
    }

    static String oneLine(String sentence) {
        return sentence.replaceAll("\\s*\\R\\s*", " ").replaceAll("\\p{Cntrl}", "?");
    }
}
