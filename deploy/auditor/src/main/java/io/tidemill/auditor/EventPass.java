package io.tidemill.auditor;

import io.tidemill.auditor.Example.Origin;
import io.tidemill.auditor.IdTable.Key;
import io.tidemill.proto.v1.Preference;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * The second level of the ledger: every event by the name of what became of it.
 *
 * <p>A refusal counts first, then what was made of the event. An event without either is on its way through preprocessing,
 * or waits there: feedback for a completion, a completion for feedback, a withdrawal for what it takes back. All else has
 * no trace.
 */
final class EventPass {
    private static final int PRESENT = 1;

    private final Topics topics;
    private final Traces traces;
    private final long examplesKnownSince;
    private final Erasures erasures;
    private final Preprocessing preprocessing;
    private final Frozen rejected;
    private final Instant completionsWaitSince;
    private final Findings findings;
    private final Consumer<Told> listener;

    private final Map<String, Map<Outcome, Long>> outcomes = new TreeMap<>();
    private final IdTable completions = new IdTable();
    private final IdTable feedback = new IdTable();
    private final List<Told> open = new ArrayList<>();
    private long beforeRefusals;
    private long beforeExamples;

    /**
     * One event and what became of it.
     *
     * @param appendedMillis when the broker took it; milliseconds since 1970
     * @param why            what is known beyond the outcome; may be empty
     */
    record Told(
            String topic,
            int partition,
            long offset,
            long appendedMillis,
            Optional<Event> event,
            Outcome outcome,
            String why) {
        String at() {
            return topic + "-" + partition + ":" + offset;
        }

        Told as(Outcome other, String reason) {
            return new Told(topic, partition, offset, appendedMillis, event, other, reason);
        }
    }

    /**
     * @param rejected             where {@code rejected} begins: refusals before it are forgotten
     * @param completionsWaitSince completions that came before it wait for nobody any more
     */
    EventPass(
            Topics topics,
            Traces traces,
            long examplesKnownSince,
            Erasures erasures,
            Preprocessing preprocessing,
            Frozen rejected,
            Instant completionsWaitSince,
            Findings findings,
            Consumer<Told> listener) {
        this.topics = topics;
        this.traces = traces;
        this.examplesKnownSince = examplesKnownSince;
        this.erasures = erasures;
        this.preprocessing = preprocessing;
        this.rejected = rejected;
        this.completionsWaitSince = completionsWaitSince;
        this.findings = findings;
        this.listener = listener;
    }

    void run(Log log, Frozen sources) {
        for (String topic : topics.ofEvents()) { // completions before the feedback that is about them
            log.read(List.of(topic), sources, this::take);
        }
        open.forEach(told -> tell(settled(told)));
        if (beforeRefusals > 0) {
            findings.uncheckable(
                    beforeRefusals + " events left no trace that is still there: they may have been refused"
                            + " before what " + topics.rejected() + " still has.");
        }
        if (beforeExamples > 0) {
            findings.uncheckable(
                    beforeExamples + " events left no trace that is still there: their examples may have been"
                            + " in what retention has taken.");
        }
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        Optional<Event> event = Event.of(record, topics);
        Told told = new Told(
                record.topic(), record.partition(), record.offset(), record.timestamp(), event, Outcome.LOST, "");
        boolean done = preprocessing.isDone(told.topic(), told.partition(), told.offset());
        event.ifPresent(known -> remember(told, known, done));
        Optional<Outcome> refusal = traces.refusal(told.topic(), told.partition(), told.offset());
        Optional<Outcome> made = event.flatMap(known -> made(told, known, refusal.isPresent()));
        if (refusal.isPresent()) {
            tell(told.as(refusal.get(), "by a record of " + topics.rejected()));
        } else if (made.isPresent()) {
            tell(told.as(made.get(), ""));
        } else if (!done) {
            tell(told.as(Outcome.WAITING, "in preprocessing"));
        } else if (told.topic().equals(topics.completions()) && event.isPresent()) {
            Optional<String> erased = erasures.now(event.get().names());
            if (erased.isPresent()) {
                tell(told.as(Outcome.ERASED, "by the erasure of " + erased.get()));
                return;
            }
            boolean waits = record.timestamp() >= completionsWaitSince.toEpochMilli();
            tell(
                    waits
                            ? told.as(Outcome.WAITING, "for feedback")
                            : told.as(Outcome.UNMATCHED, "nobody has rated it in time"));
        } else if (told.topic().equals(topics.feedback()) && event.isPresent()) {
            open.add(told); // what it is about may come later in the topic
        } else {
            tell(lost(told));
        }
    }

    private void remember(Told told, Event event, boolean done) {
        if (told.topic().equals(topics.completions())
                && done
                && erasures.now(event.names()).isEmpty()) { // what is erased is gone from its stores
            completions.put(Key.of(event.turn(), event.id()), PRESENT);
        } else if (told.topic().equals(topics.feedback()) && done) {
            feedback.put(Key.of(event.id()), PRESENT);
        }
    }

    private Optional<Outcome> made(Told told, Event event, boolean refused) {
        String topic = told.topic();
        if (topic.equals(topics.prompts())) {
            return traces.ofPrompt(told.partition(), told.offset());
        }
        if (topic.equals(topics.documents()) || topic.equals(topics.demonstrations())) {
            Origin origin = topic.equals(topics.documents()) ? Origin.DOCUMENT : Origin.DEMONSTRATION;
            if (refused) {
                traces.spareOne(origin, event.id());
                return Optional.empty();
            }
            return traces.takeOne(origin, event.id());
        }
        return traces.ofSaid(event.id());
    }

    /** Feedback that is done, was not refused, and has made no example. */
    private Told settled(Told told) {
        Event event = told.event().orElseThrow();
        if (!event.target().isEmpty()) {
            return feedback.get(Key.of(event.target())) == 0
                    ? told.as(Outcome.WAITING, "for feedback " + event.target() + ", which it takes back")
                    : told.as(Outcome.WITHDRAWAL, "of " + event.target() + ", which had not become an example");
        }
        List<String> missing = event.awaits().stream()
                .filter(id -> completions.get(Key.of(event.turn(), id)) == 0)
                .toList();
        return missing.isEmpty()
                ? lost(told)
                : told.as(Outcome.WAITING, "for completion " + String.join(" and ", missing));
    }

    private Told lost(Told told) {
        if (told.appendedMillis() < traces.refusalsKnownSince(rejected)) {
            beforeRefusals++;
            return told.as(Outcome.REJECTED, "before what is still in " + topics.rejected());
        }
        if (told.appendedMillis() < examplesKnownSince) {
            beforeExamples++;
            return told.as(Outcome.GONE, "before what the log still has of examples");
        }
        String id = told.event().map(Event::id).orElse("with bytes that cannot be read");
        findings.add(
                "Event " + id + " at " + told.at() + " has left no trace: preprocessing has read it, but no example"
                        + " names it as its parent, and " + topics.rejected() + " has no record of it.");
        return told;
    }

    private void tell(Told told) {
        outcomes.computeIfAbsent(told.topic(), none -> new EnumMap<>(Outcome.class))
                .merge(told.outcome(), 1L, Long::sum);
        listener.accept(told);
    }

    /** Proves that each correction has also become a demonstration, or was refused as one. */
    void checkCorrection(ConsumerRecord<byte[], byte[]> record) {
        if (!record.topic().equals(topics.preferences())
                || !preprocessing.isDone(record.topic(), record.partition(), record.offset())
                || traces.refusal(record.topic(), record.partition(), record.offset())
                        .isPresent()) {
            return;
        }
        Wire.read(Preference.getDefaultInstance(), record.value(), record.headers())
                .filter(preference -> preference.getOrigin() == Preference.Origin.CORRECTION && preference.hasPair())
                .filter(preference -> !traces.hasCorrection(
                        Hash.exampleId(preference.getProvenance().getParentIdsList(), "SFT")))
                .filter(preference -> !rejected.hasLost())
                .ifPresent(preference -> findings.add("Correction " + preference.getExampleId() + " at "
                        + record.topic() + "-" + record.partition() + ":" + record.offset()
                        + " should have become a demonstration as well, but " + topics.sequences() + " has none of"
                        + " these parents, and " + topics.rejected() + " has no record of it."));
    }

    /** Events by topic and by what became of them. */
    Map<String, Map<Outcome, Long>> outcomes() {
        return outcomes;
    }
}
