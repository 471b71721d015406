package io.tidemill.auditor;

import io.tidemill.auditor.Example.Origin;
import io.tidemill.auditor.ExamplePass.Seen;
import io.tidemill.auditor.IdTable.Key;
import io.tidemill.proto.v1.Rejected;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * What downstream of preprocessing points back to an event: examples by the ids of their parents, prompts by their place,
 * refusals by the place of what was refused.
 *
 * <p>Of a document or demonstration each record makes one example or one refusal, so their examples are counted one by
 * one (a new revision of a document has the same id). Feedback may make several examples; one is enough.
 */
final class Traces {
    private static final String RELEASED = "tidemill-released-from"; // header of what came back from quarantine
    private static final Outcome[] OUTCOMES = Outcome.values();
    private static final int PRESENT = 1 << 30;
    private static final int MATCHED = 1 << 29;
    private static final int SPARE = 1 << 28; // of an event that was refused by another tokenizer's application
    private static final int OUTCOME = 0xff;

    private final Topics topics;
    private final IdTable table = new IdTable();
    private final IdTable refusals = new IdTable();
    private final IdTable corrections = new IdTable();
    private long unmatched;
    private final Map<TopicPartition, Long> oldestRefusalMillis = new HashMap<>();

    Traces(Topics topics) {
        this.topics = topics;
    }

    // ---- what is found downstream -----------------------------------------------------------------------------------

    void take(Seen seen) {
        Example example = seen.example();
        switch (example.origin()) {
            case DOCUMENT, DEMONSTRATION -> example.parents().forEach(parent -> addNext(example, parent, seen));
            case SAID -> example.parents().forEach(parent -> addBest(said(parent), seen.outcome()));
            case CORRECTION -> {
                example.parents().forEach(parent -> addBest(said(parent), seen.outcome()));
                corrections.put(Key.of(example.id()), PRESENT);
            }
            case PROMPT ->
                table.put(
                        topics.key(
                                seen.record().topic(),
                                seen.record().partition(),
                                seen.record().offset()),
                        PRESENT | MATCHED | seen.outcome().ordinal());
            default -> {}
        }
    }

    private void addNext(Example example, String parent, Seen seen) {
        if (seen.record().headers().lastHeader(RELEASED) != null && improve(example.origin(), parent, seen.outcome())) {
            return;
        }
        int number = 0;
        while (table.get(numbered(example.origin(), parent, number)) != 0) {
            number++;
        }
        table.put(
                numbered(example.origin(), parent, number),
                PRESENT | seen.outcome().ordinal());
        unmatched++;
    }

    /** A copy that was released from quarantine is the same example once more. */
    private boolean improve(Origin origin, String parent, Outcome outcome) {
        for (int number = 0; ; number++) {
            Key key = numbered(origin, parent, number);
            int value = table.get(key);
            if (value == 0) {
                return false;
            }
            if (outcome(value) == Outcome.QUARANTINED) {
                table.put(key, (value & ~OUTCOME) | outcome.ordinal());
                return true;
            }
        }
    }

    private void addBest(Key key, Outcome outcome) {
        int value = table.get(key);
        if (value == 0) {
            unmatched++;
        }
        Outcome best = value == 0 ? outcome : outcome(value).orBetter(outcome);
        table.put(key, PRESENT | (value & MATCHED) | best.ordinal());
    }

    void takeRejected(ConsumerRecord<byte[], byte[]> record) {
        Optional<Rejected> read = Wire.read(Rejected.getDefaultInstance(), record.value(), record.headers());
        read.ifPresent(rejected -> {
            oldestRefusalMillis.merge(
                    new TopicPartition(record.topic(), record.partition()), record.timestamp(), Math::min);
            refusals.put(
                    topics.key(rejected.getTopic(), rejected.getPartition(), rejected.getOffset()),
                    PRESENT | Outcome.ofRejection(rejected.getCode()).ordinal());
        });
    }

    // ---- what an event asks -----------------------------------------------------------------------------------------

    Optional<Outcome> refusal(String topic, int partition, long offset) {
        return found(refusals.get(topics.key(topic, partition, offset)));
    }

    Optional<Outcome> ofPrompt(int partition, long offset) {
        return found(table.get(topics.key(topics.prompts(), partition, offset)));
    }

    /** Takes one example of a document or demonstration for one of its records; empty where none is left. */
    Optional<Outcome> takeOne(Origin origin, String id) {
        int spare = -1;
        for (int number = 0; ; number++) {
            Key key = numbered(origin, id, number);
            int value = table.get(key);
            if (value == 0) {
                break;
            }
            if ((value & MATCHED) == 0) {
                match(key, value);
                return Optional.of(outcome(value));
            }
            if ((value & SPARE) != 0 && spare < 0) {
                spare = number;
            }
        }
        if (spare < 0) {
            return Optional.empty();
        }
        Key key = numbered(origin, id, spare);
        int value = table.get(key);
        table.put(key, value & ~SPARE);
        return Optional.of(outcome(value));
    }

    /**
     * Lets a refused record explain one example all the same: the applications of two tokenizers may refuse different
     * ones of two equal records.
     */
    void spareOne(Origin origin, String id) {
        for (int number = 0; ; number++) {
            Key key = numbered(origin, id, number);
            int value = table.get(key);
            if (value == 0) {
                return;
            }
            if ((value & MATCHED) == 0) {
                match(key, value | SPARE);
                return;
            }
        }
    }

    /** The best that was made of feedback or of a completion; whoever asks is its event. */
    Optional<Outcome> ofSaid(String id) {
        Key key = said(id);
        int value = table.get(key);
        if (value != 0 && (value & MATCHED) == 0) {
            match(key, value);
        }
        return found(value);
    }

    private void match(Key key, int value) {
        table.put(key, value | MATCHED);
        unmatched--;
    }

    boolean hasCorrection(String exampleId) {
        return corrections.get(Key.of(exampleId)) != 0;
    }

    /** Parents named by examples that no event has asked for. */
    long unmatched() {
        return unmatched;
    }

    /** Has every event of this example's asked? */
    List<String> parentsWithoutEvent(Example example) {
        List<String> without = new ArrayList<>();
        for (String parent : example.parents()) {
            boolean numbered = example.origin() == Origin.DOCUMENT || example.origin() == Origin.DEMONSTRATION;
            boolean matched =
                    numbered ? lastMatched(example.origin(), parent) : (table.get(said(parent)) & MATCHED) != 0;
            if (!matched) {
                without.add(parent);
            }
        }
        return without;
    }

    private boolean lastMatched(Origin origin, String parent) {
        for (int number = 0; ; number++) {
            int value = table.get(numbered(origin, parent, number));
            if (value == 0) {
                return true;
            }
            if ((value & MATCHED) == 0) {
                return false;
            }
        }
    }

    /** From when on every refusal is still there; milliseconds since 1970. */
    long refusalsKnownSince(Frozen rejected) {
        return rejected.beginnings().entrySet().stream()
                .filter(partition -> partition.getValue() > 0)
                .mapToLong(partition -> oldestRefusalMillis.getOrDefault(partition.getKey(), Long.MAX_VALUE))
                .max()
                .orElse(Long.MIN_VALUE);
    }

    private static Optional<Outcome> found(int value) {
        return value == 0 ? Optional.empty() : Optional.of(outcome(value));
    }

    private static Outcome outcome(int value) {
        return OUTCOMES[value & OUTCOME];
    }

    private static Key said(String id) {
        return Key.of("said", id);
    }

    private static Key numbered(Origin origin, String id, int number) {
        return Key.of(origin.name(), id, Integer.toString(number));
    }
}
