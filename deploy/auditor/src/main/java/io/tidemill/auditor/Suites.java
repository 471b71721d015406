package io.tidemill.auditor;

import io.tidemill.auditor.Ledgers.Entry;
import io.tidemill.proto.v1.Split;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Proves that what the gate asks was held out: every example of the suites that the versions still have. */
final class Suites {
    private static final Pattern WINDOW = Pattern.compile("(.*)#[0-9]+", Pattern.DOTALL);

    private final Course course;
    private final Erasures erasures;
    private final Ledgers ledgers;
    private final SplitCheck split;
    private final Findings findings;

    Suites(Course course, Erasures erasures, Ledgers ledgers, SplitCheck split, Findings findings) {
        this.course = course;
        this.erasures = erasures;
        this.ledgers = ledgers;
        this.split = split;
        this.findings = findings;
    }

    void check(Store store) {
        for (String version : course.ancestry()) {
            store.heldOutSequences(version, sequence -> check(version, Example.of(sequence, Integer.MAX_VALUE)));
            store.heldOutPairs(version, pair -> check(version, Example.of(pair)));
        }
    }

    private void check(String version, Example example) {
        // A window of a text is called "<example id>#<number>".
        Matcher window = WINDOW.matcher(example.id());
        Entry entry = ledgers.entry(example.id());
        String id = example.id();
        if (entry == null && window.matches()) {
            id = window.group(1);
            entry = ledgers.entry(id);
        }
        if (entry == null || !entry.stage().equals(Stages.HELD_OUT)) {
            findings.add("Example " + id + " is in a held-out suite of " + version + ", but "
                    + (entry == null
                            ? "stands in no ledger."
                            : "is " + entry.stage() + " in the ledger of "
                                    + course.ancestry().get(entry.version()) + "."));
        }
        if (!example.provenance().getGroupId().isEmpty()) {
            split.add(
                    example.provenance().getGroupId(),
                    example.split() == Split.HELD_OUT,
                    "Example " + id + " in a held-out suite of " + version);
        }
        String name = id;
        erasures.before(course.announced().get(version), Erasures.names(example))
                .ifPresent(erased -> findings.add("Example " + name + " is in a held-out suite of " + version
                        + ", whose round had been told to forget " + erased + "."));
        if (example.split() != Split.HELD_OUT) {
            findings.add("Example " + id + " is in a held-out suite of " + version + ", but is for training.");
        }
    }
}
