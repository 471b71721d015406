package io.tidemill.auditor;

import io.tidemill.auditor.Course.Place;
import io.tidemill.auditor.Ledgers.Entry;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.Split;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * The first level of the ledger: every record that a round may learn from lies in exactly one place, and where that is
 * the slice of a version, its ledger says what became of it.
 */
final class ExamplePass {
    private static final String REPEATED = "repeated";
    private static final String UNREADABLE = "unreadable";

    private final Course course;
    private final Ledgers ledgers;
    private final Topics topics;
    private final Frozen frozen;
    private final int vocabulary;
    private final SplitCheck split;
    private final Erasures erasures;
    private final Quarantine quarantine;
    private final Findings findings;
    private final Consumer<Seen> listener;

    private final Map<String, Map<Outcome, Long>> outcomes = new TreeMap<>();
    private final List<Map<String, Long>> recounts = new ArrayList<>();
    private final List<Map<TopicPartition, Long>> records = new ArrayList<>();
    private final Map<TopicPartition, Long> oldestMillis = new HashMap<>();
    private long withoutGroup;
    private long fromCopies;

    /**
     * One record and what became of it.
     *
     * @param record  as it lies in the log
     * @param version of the live ancestry whose slice it is in; empty where it is in none
     * @param stage   in the ledger of a version; empty where there is none
     */
    record Seen(ConsumerRecord<byte[], byte[]> record, Example example, Outcome outcome, String version, String stage) {
        TopicPartition partition() {
            return new TopicPartition(record.topic(), record.partition());
        }

        String at() {
            return partition() + ":" + record.offset();
        }
    }

    ExamplePass(
            Course course,
            Ledgers ledgers,
            Topics topics,
            Frozen frozen,
            int vocabulary,
            SplitCheck split,
            Erasures erasures,
            Quarantine quarantine,
            Findings findings,
            Consumer<Seen> listener) {
        this.course = course;
        this.ledgers = ledgers;
        this.topics = topics;
        this.frozen = frozen;
        this.vocabulary = vocabulary;
        this.split = split;
        this.erasures = erasures;
        this.quarantine = quarantine;
        this.findings = findings;
        this.listener = listener;
        course.ancestry().forEach(version -> {
            recounts.add(new TreeMap<>());
            records.add(new TreeMap<>((a, b) -> a.toString().compareTo(b.toString())));
        });
    }

    void run(Log log, Store store) {
        for (String version : course.ancestry()) { // before the log, whose records are newer
            store.keptRecords(version, kept -> takeCopy(Copies.record(kept)));
        }
        log.read(topics.ofExamples(), frozen, record -> {
            oldestMillis.merge(new TopicPartition(record.topic(), record.partition()), record.timestamp(), Math::min);
            take(record);
        });
        ledgers.tellUnseen(versionsWithLostOffsets());
        for (int i = 0; i < course.ancestry().size(); i++) {
            compareCounts(i);
        }
        if (fromCopies > 0) {
            findings.uncheckable(
                    fromCopies + " records are no longer in the log, but in the copies that versions keep of"
                            + " their slices: whether these are what the log had is unknown.");
        }
        if (withoutGroup > 0) {
            findings.uncheckable(
                    withoutGroup + " examples name no group, so on which side of the split they belong is unknown.");
        }
    }

    /** What the log has is taken from there. */
    private void takeCopy(ConsumerRecord<byte[], byte[]> record) {
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
        if (!frozen.ends().containsKey(partition)
                || record.offset() < frozen.beginnings().get(partition)) {
            fromCopies++;
            take(record);
        }
    }

    /** From then on every example is still in the log; milliseconds since the epoch. */
    long knownSince() {
        return frozen.beginnings().entrySet().stream()
                .filter(partition -> topics.holdsExamples(partition.getKey().topic()) && partition.getValue() > 0)
                .mapToLong(partition -> oldestMillis.getOrDefault(partition.getKey(), Long.MAX_VALUE))
                .max()
                .orElse(Long.MIN_VALUE);
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
        Example example = Example.of(record, topics, vocabulary);
        Place place = course.place(partition, record.offset());
        String at = partition + ":" + record.offset();
        String stage = "";
        Outcome outcome;
        switch (place.kind()) {
            case SLICE -> {
                records.get(place.version()).merge(partition, 1L, Long::sum);
                stage = stage(record, example, place.version(), at);
                outcome = stage.isEmpty() ? Outcome.LOST : Outcome.ofStage(stage);
                if (!stage.isEmpty()) {
                    recounts.get(place.version()).merge(stage, 1L, Long::sum);
                }
            }
            case QUARANTINED -> {
                outcome = Outcome.QUARANTINED;
                if (!quarantine.has(record) && frozen.beginnings().getOrDefault(partition, 0L) == 0) {
                    findings.add(
                            "Record " + at + " was refused twice, but " + topics.quarantine() + " has no copy of it.");
                }
            }
            case RETRY ->
                outcome = ledgers.isRemoved(place(record), Long.MAX_VALUE)
                        ? Outcome.QUARANTINED
                        : Outcome.WAITING_FOR_A_RETRY;
            case WAITING -> outcome = Outcome.WAITING;
            case PASSED_OVER -> {
                outcome = Outcome.LOST;
                findings.add(
                        "Record " + at + " was refused or rolled back and waited for its retry, but a later version"
                                + " has read new data without it.");
            }
            default -> {
                outcome = Outcome.LOST;
                findings.add("Record " + at + " lies between the slices of the lineage: no version has read it, it does"
                        + " not wait, and it is not in quarantine.");
            }
        }
        checkSide(example, stage, at);
        ledgers.lastReplay(example.id()).ifPresent(version -> tellErased(example, version, at, "replayed"));
        outcomes.computeIfAbsent(record.topic(), none -> new EnumMap<>(Outcome.class))
                .merge(outcome, 1L, Long::sum);
        String version = place.version() < 0 ? "" : course.ancestry().get(place.version());
        listener.accept(new Seen(record, example, outcome, version, stage));
    }

    /** What the version whose slice has the record made of it; empty, and told, where that is not known. */
    private String stage(ConsumerRecord<byte[], byte[]> record, Example example, int version, String at) {
        if (ledgers.isRemoved(place(record), event(version).getLineage().getRound())) {
            return Stages.QUARANTINED;
        }
        Entry entry = ledgers.entry(example.id());
        String name = course.ancestry().get(version);
        if (entry != null && entry.version() == version) {
            if (entry.seen()) {
                return REPEATED;
            }
            ledgers.see(example.id());
            checkErasure(example, entry.stage(), version, at);
            return entry.stage();
        }
        if (entry != null && entry.version() < version) {
            return REPEATED;
        }
        if (example.flaw().isPresent()) {
            return UNREADABLE;
        }
        findings.add("Example " + example.id() + " at " + at + " is in the slice of " + name
                + (entry == null
                        ? ", but stands in no ledger."
                        : ", but stands only in the ledger of "
                                + course.ancestry().get(entry.version()) + ", a later version."));
        return "";
    }

    private static Store.Removed place(ConsumerRecord<byte[], byte[]> record) {
        return new Store.Removed(new TopicPartition(record.topic(), record.partition()), record.offset());
    }

    private void checkSide(Example example, String stage, String at) {
        if (example.flaw().isPresent() || example.split() == Split.SPLIT_UNSPECIFIED) {
            return;
        }
        boolean heldOut = example.split() == Split.HELD_OUT;
        if (heldOut && Stages.isTrained(stage)) {
            findings.add("Example " + example.id() + " at " + at + " was trained (" + stage + "), but it is held out.");
        } else if (!heldOut && stage.equals(Stages.HELD_OUT)) {
            findings.add("Example " + example.id() + " at " + at + " stands as held out, but it is for training.");
        }
        if (example.provenance().getGroupId().isEmpty()) {
            withoutGroup++;
        } else {
            split.add(example.provenance().getGroupId(), heldOut, "Example " + example.id() + " at " + at);
        }
    }

    private void checkErasure(Example example, String stage, int version, String at) {
        if (Stages.isTrained(stage)) {
            tellErased(example, version, at, "trained");
        }
    }

    private void tellErased(Example example, int version, String at, String what) {
        erasures.before(event(version), Erasures.names(example))
                .ifPresent(erased -> findings.add("Example " + example.id() + " at " + at + " was " + what + " by "
                        + course.ancestry().get(version) + ", whose round had been told to forget " + erased + "."));
    }

    private CheckpointEvent event(int version) {
        return course.announced().get(course.ancestry().get(version));
    }

    private Set<Integer> versionsWithLostOffsets() {
        Set<Integer> versions = new HashSet<>();
        for (int i = 0; i < course.ancestry().size(); i++) {
            if (Span.of(event(i).getLineage().getSlicesList()).stream().anyMatch(this::isLost)) {
                versions.add(i);
            }
        }
        return versions;
    }

    private boolean isLost(Span span) {
        return topics.holdsExamples(span.partition().topic())
                && (frozen.hasLost(span) || !frozen.ends().containsKey(span.partition()) && !span.empty());
    }

    /** The manifest's numbers against the records and the ledger. */
    private void compareCounts(int version) {
        String name = course.ancestry().get(version);
        Map<String, Long> announced = event(version).getLineage().getExamplesMap();
        List<Span> lost = Span.of(event(version).getLineage().getSlicesList()).stream()
                .filter(this::isLost)
                .toList();
        for (SliceRange range : event(version).getLineage().getSlicesList()) {
            Span span = Span.of(range);
            long counted = records.get(version).getOrDefault(span.partition(), 0L);
            if (topics.holdsExamples(range.getTopic()) && !isLost(span) && counted != range.getRecords()) {
                findings.add("Version " + name + " says that " + span + " has " + range.getRecords()
                        + " records, but the log has " + counted + " there.");
            }
        }
        Map<String, Long> found = new TreeMap<>(ledgers.counts(version));
        if (lost.isEmpty()) {
            for (String stage : List.of(REPEATED, UNREADABLE, Stages.QUARANTINED)) {
                found.merge(stage, recounts.get(version).getOrDefault(stage, 0L), Math::max);
            }
        } else {
            findings.uncheckable("Retention has taken a part of " + lost + " of the slice of " + name + ".");
        }
        Set<String> stages = new HashSet<>(found.keySet());
        stages.addAll(announced.keySet());
        stages.stream().sorted().forEach(stage -> {
            boolean ofTheLog = stage.equals(REPEATED) || stage.equals(UNREADABLE);
            long said = announced.getOrDefault(stage, 0L);
            long is = found.getOrDefault(stage, 0L);
            if (said != is && !(ofTheLog && !lost.isEmpty()) && !stage.equals("replayed")) {
                findings.add("Version " + name + " says that " + said + " examples were " + stage + ", but "
                        + (ofTheLog ? "the log" : "its ledger") + " has " + is + ".");
            }
        });
    }

    /** Records by topic and by what became of them. */
    Map<String, Map<Outcome, Long>> outcomes() {
        return outcomes;
    }
}
