package io.tidemill.auditor;

import io.tidemill.auditor.IdTable.Key;
import io.tidemill.proto.v1.CheckpointEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the versions of the live ancestry say that they made of each example: their {@code state/examples.tsv} in one
 * table. An example stands where it was first read, and is trained there or nowhere.
 */
final class Ledgers {
    private static final int STAGE_BITS = 7;
    private static final int VERSION_BITS = 22;
    private static final int SEEN = 1 << 30;
    private static final int MOST_VERSIONS = 1 << VERSION_BITS;

    private final List<String> ancestry;
    private final Store store;
    private final Findings findings;
    private final Stages stages = new Stages();
    private final IdTable table = new IdTable();
    private final List<Map<String, Long>> counts = new ArrayList<>();
    private final Map<Store.Removed, Long> removed = new HashMap<>(); // with the round that diverged by it
    private final IdTable replays = new IdTable();
    private int unseen;

    /** @param version index into the ancestry */
    record Entry(int version, String stage, boolean seen) {}

    /** @param ancestry oldest first */
    Ledgers(List<String> ancestry, Store store, Findings findings) {
        if (ancestry.size() >= MOST_VERSIONS) {
            throw new AuditException("A lineage of more than " + MOST_VERSIONS + " versions cannot be audited.");
        }
        this.ancestry = ancestry;
        this.store = store;
        this.findings = findings;
        for (int i = 0; i < ancestry.size(); i++) {
            read(i);
        }
    }

    private void read(int version) {
        Map<String, Long> byStage = new TreeMap<>();
        counts.add(byStage);
        store.examples(ancestry.get(version), line -> {
            byStage.merge(line.stage(), 1L, Long::sum);
            take(version, line);
        });
    }

    /** Takes in what rounds have diverged by, which no later round reads. */
    void takeRemoved(Map<String, CheckpointEvent> announced) {
        announced.forEach((version, event) -> store.removed(
                version, record -> removed.merge(record, event.getLineage().getRound(), Math::min)));
    }

    private void take(int version, Store.Line line) {
        Key key = Key.of(line.exampleId());
        Entry before = entry(table.get(key));
        if (before != null) {
            boolean trained = Stages.isTrained(before.stage());
            boolean again = Stages.isTrained(line.stage());
            boolean heldOut =
                    before.stage().equals(Stages.HELD_OUT) || line.stage().equals(Stages.HELD_OUT);
            if (trained && again) {
                findings.add("Example " + line.exampleId() + " was trained twice: by " + ancestry.get(before.version())
                        + " (" + before.stage() + ") and by " + ancestry.get(version) + " (" + line.stage() + ").");
            } else if (heldOut && (trained || again)) {
                findings.add("Example " + line.exampleId() + " is " + before.stage() + " in the ledger of "
                        + ancestry.get(before.version()) + " and " + line.stage() + " in that of "
                        + ancestry.get(version) + ": what is held out is never trained.");
            }
            if (trained || !again) {
                return; // it stays where it was first
            }
        } else {
            unseen++;
        }
        table.put(key, stages.code(line.stage()) | (version << STAGE_BITS));
    }

    /** What became of an example, or null where no ledger has it. */
    Entry entry(String exampleId) {
        return entry(table.get(Key.of(exampleId)));
    }

    private Entry entry(int value) {
        return value == 0
                ? null
                : new Entry(
                        (value >>> STAGE_BITS) & (MOST_VERSIONS - 1),
                        stages.name(value & ((1 << STAGE_BITS) - 1)),
                        (value & SEEN) != 0);
    }

    /** A record of the version's slice has this id. */
    void see(String exampleId) {
        Key key = Key.of(exampleId);
        int value = table.get(key);
        if ((value & SEEN) == 0) {
            table.put(key, value | SEEN);
            unseen--;
        }
    }

    /** Had a round before this one diverged by the record? */
    boolean isRemoved(Store.Removed record, long round) {
        return removed.getOrDefault(record, Long.MAX_VALUE) < round;
    }

    /** Lines of a version's ledger by stage. */
    Map<String, Long> counts(int version) {
        return counts.get(version);
    }

    /** Tells what stands in a ledger while no record of its version's slice has that id. */
    void tellUnseen(Set<Integer> versionsWithLostOffsets) {
        if (unseen == 0) {
            return;
        }
        for (int i = 0; i < ancestry.size(); i++) {
            int version = i;
            long[] uncheckable = new long[1];
            store.examples(ancestry.get(version), line -> {
                Entry entry = entry(line.exampleId());
                if (entry == null || entry.version() != version || entry.seen()) {
                    return;
                }
                if (versionsWithLostOffsets.contains(version)) {
                    uncheckable[0]++;
                } else {
                    findings.add("Example " + line.exampleId() + " stands as " + line.stage() + " in the ledger of "
                            + ancestry.get(version) + ", but no record of its slice has that id: it was never"
                            + " accepted.");
                }
            });
            if (uncheckable[0] > 0) {
                findings.uncheckable(uncheckable[0] + " examples of the ledger of " + ancestry.get(version)
                        + " are no longer in the log, of which retention has taken a part of its slice.");
            }
        }
    }

    /** The newest version that has replayed an example, as an index into the ancestry. */
    OptionalInt lastReplay(String exampleId) {
        int version = replays.size() == 0 ? 0 : replays.get(Key.of(exampleId));
        return version == 0 ? OptionalInt.empty() : OptionalInt.of(version - 1);
    }

    /** Proves that what was replayed had been trained by an earlier version, and that it was as many as the events say. */
    void checkReplays(Map<String, CheckpointEvent> announced) {
        for (int i = 0; i < ancestry.size(); i++) {
            int version = i;
            Map<String, Long> byStage = new TreeMap<>();
            store.replayed(ancestry.get(version), line -> {
                byStage.merge(line.stage(), 1L, Long::sum);
                replays.put(Key.of(line.exampleId()), version + 1);
                Entry entry = entry(line.exampleId());
                if (entry == null || entry.version() >= version || !Stages.isTrained(entry.stage())) {
                    findings.add("Example " + line.exampleId() + " was replayed by " + ancestry.get(version)
                            + ", but no earlier version of its lineage has trained it"
                            + (entry == null
                                    ? "."
                                    : "; it is " + entry.stage() + " in the ledger of " + ancestry.get(entry.version())
                                            + "."));
                }
            });
        }
    }
}
