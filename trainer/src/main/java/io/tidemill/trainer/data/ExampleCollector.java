package io.tidemill.trainer.data;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.data.ExampleReader.Example;
import io.tidemill.trainer.data.ExampleReader.Judgement;
import io.tidemill.trainer.data.ExampleReader.Question;
import io.tidemill.trainer.data.ExampleReader.Sequence;
import io.tidemill.trainer.data.ExampleReader.Unreadable;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.slice.Waiting;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gathers the records of one slice and sorts them out. The result does not depend on the order in which partitions were
 * read: of records with one example id the last by append time counts, what its rater takes back in the same slice does
 * not, and stages are in {@link ExampleOrder}.
 */
public final class ExampleCollector {
    private static final Logger LOG = LoggerFactory.getLogger(ExampleCollector.class);
    private static final Comparator<Read> OLDEST_FIRST = Comparator.comparingLong(Read::timestamp)
            .thenComparing(Read::topic)
            .thenComparingInt(Read::partition)
            .thenComparingLong(Read::offset);

    /** Feedback that waits for nothing. */
    private static final Set<String> SAYS_NOTHING =
            Set.of(Stages.WITHDRAWAL, Stages.STALE, Stages.SOURCE_OFF, Stages.NOT_SAMPLED);

    private record Read(Example example, String topic, int partition, long offset, long timestamp) {}

    private final ExampleReader reader;
    private final ExampleSet seenByLineage;
    private final ExampleOrder order;

    private final Map<String, Read> byExampleId = new HashMap<>();
    private final Map<String, Long> counts = new TreeMap<>();
    private final SliceOrigins origins = new SliceOrigins();

    public ExampleCollector(ExampleReader reader, ExampleSet seenByLineage, long seed) {
        this.reader = reader;
        this.seenByLineage = seenByLineage;
        this.order = new ExampleOrder(seed);
    }

    /**
     * Takes one record of the slice.
     *
     * @return what it was read as
     */
    public Example add(ConsumerRecord<byte[], byte[]> record) {
        Read read =
                new Read(reader.read(record), record.topic(), record.partition(), record.offset(), record.timestamp());
        if (read.example instanceof Unreadable unreadable) {
            LOG.warn(
                    "{}-{}:{} is left out of the round: {}",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    unreadable.reason());
            count(Stages.UNREADABLE, record.topic());
            return unreadable;
        }
        String exampleId = read.example.exampleId();
        if (seenByLineage.contains(exampleId)) {
            count(Stages.REPEATED, record.topic());
            return read.example;
        }
        Read before = byExampleId.get(exampleId);
        if (before != null) {
            boolean older = OLDEST_FIRST.compare(read, before) <= 0;
            count(Stages.REPEATED, older ? read.topic() : before.topic());
        }
        if (before == null || OLDEST_FIRST.compare(read, before) > 0) {
            byExampleId.put(exampleId, read);
        }
        return read.example;
    }

    /** Counts a record that stands in quarantine. */
    public void addQuarantined(String topic) {
        count(Stages.QUARANTINED, topic);
    }

    /** Where all of it came from; to be asked when everything is gathered. */
    public SliceOrigins origins() {
        return origins;
    }

    private void count(String stage, String topic) {
        count(stage);
        origins.add(topic, stage);
    }

    private void count(String stage) {
        counts.merge(stage, 1L, Long::sum);
    }

    /** What each of the examples goes by where something is to be forgotten, by example id. */
    public Map<String, Set<String>> keys() {
        Map<String, Set<String>> keys = new HashMap<>();
        byExampleId.forEach((id, read) -> {
            Set<String> carried = read.example.keys();
            if (!carried.isEmpty()) {
                keys.put(id, carried);
            }
        });
        return keys;
    }

    /** Everything gathered. */
    public RoundExamples finish() {
        List<TokenSequence> documents = new ArrayList<>();
        List<TokenSequence> sft = new ArrayList<>();
        List<TokenSequence> labelled = new ArrayList<>();
        List<TokenSequence> heldOutSequences = new ArrayList<>();
        List<Preference> pairs = new ArrayList<>();
        List<Preference> ratings = new ArrayList<>();
        List<Prompt> prompts = new ArrayList<>();
        List<Preference> heldOutPreferences = new ArrayList<>();
        List<LedgerEntry> ledger = new ArrayList<>();
        Map<String, Long> sources = new TreeMap<>();
        Optional<Instant> firstFeedback = Optional.empty();

        Withdrawals withdrawals = new Withdrawals();
        byExampleId.values().forEach(read -> withdrawals.add(read.example));
        Set<String> paired = paired(withdrawals);
        for (Read read : order.sort(List.copyOf(byExampleId.values()), read -> read.example.exampleId())) {
            Example example = read.example;
            String stage = withdrawals.concern(example)
                    ? Stages.WITHDRAWN
                    : isIn(paired, example) ? Stages.IN_A_PAIR : example.stage();
            count(stage);
            ledger.add(new LedgerEntry(example.exampleId(), stage));
            origins.add(example.exampleId(), read.topic, cameIn(read));
            if (!stage.equals(example.stage())) {
                continue;
            }
            if (example instanceof Sequence sequence) {
                switch (sequence.stage()) {
                    case Stages.PRETRAIN, Stages.MASKED_LM -> documents.add(sequence.message());
                    case Stages.SFT -> sft.add(sequence.message());
                    case Stages.CLASSIFICATION -> labelled.add(sequence.message());
                    case Stages.HELD_OUT -> heldOutSequences.add(sequence.message());
                    default -> {}
                }
            } else if (example instanceof Question question && stage.equals(Stages.ROLLOUT)) {
                prompts.add(question.message());
            } else if (example instanceof Judgement judgement && !SAYS_NOTHING.contains(stage)) {
                Instant appended = appended(judgement.message().getProvenance(), read.timestamp);
                firstFeedback =
                        Optional.of(firstFeedback.filter(appended::isAfter).orElse(appended));
                switch (judgement.stage()) {
                    case Stages.PREFERENCE -> pairs.add(judgement.message());
                    case Stages.RATING -> ratings.add(judgement.message());
                    case Stages.HELD_OUT -> {
                        if (judgement.message().hasPair()) {
                            heldOutPreferences.add(judgement.message());
                        }
                    }
                    default -> {}
                }
            }
            if (Waiting.isTrained(example.stage())) {
                sources.merge(source(example), 1L, Long::sum);
            }
        }
        return new RoundExamples(
                documents.stream().map(ExampleCollector::sequence).toList(),
                sft.stream().map(ExampleCollector::sequence).toList(),
                labelled.stream().map(LabelledSequence::of).toList(),
                pairs.stream().map(PairExample::of).toList(),
                ratings.stream().map(RatedExample::of).toList(),
                prompts.stream().map(PromptExample::of).toList(),
                List.copyOf(heldOutSequences),
                List.copyOf(heldOutPreferences),
                List.copyOf(ledger),
                Map.copyOf(counts),
                Map.copyOf(sources),
                firstFeedback);
    }

    /** The feedback that pairs for training were made of. */
    private Set<String> paired(Withdrawals withdrawals) {
        Set<String> feedback = new HashSet<>();
        for (Read read : byExampleId.values()) {
            if (read.example instanceof Judgement judgement
                    && judgement.stage().equals(Stages.PREFERENCE)
                    && judgement.message().getOrigin() == Preference.Origin.RATINGS
                    && !withdrawals.concern(judgement)) {
                feedback.addAll(judgement.message().getProvenance().getParentIdsList());
            }
        }
        return feedback;
    }

    private static boolean isIn(Set<String> paired, Example example) {
        if (!(example instanceof Judgement judgement) || !judgement.stage().equals(Stages.RATING)) {
            return false;
        }
        List<String> parents = judgement.message().getProvenance().getParentIdsList();
        return !parents.isEmpty() && paired.containsAll(parents);
    }

    private static long cameIn(Read read) {
        Provenance provenance = read.example instanceof Sequence sequence
                ? sequence.message().getProvenance()
                : read.example instanceof Judgement judgement
                        ? judgement.message().getProvenance()
                        : Provenance.getDefaultInstance();
        return appended(provenance, read.timestamp).toEpochMilli();
    }

    private static Instant appended(Provenance provenance, long recordTimestamp) {
        Timestamp ingest = provenance.getIngestTime();
        return provenance.hasIngestTime()
                ? Instant.ofEpochMilli(Timestamps.toMillis(ingest))
                : Instant.ofEpochMilli(recordTimestamp);
    }

    private static String source(Example example) {
        String source = "";
        if (example instanceof Sequence sequence) {
            source = sequence.message().getProvenance().getSource();
        } else if (example instanceof Judgement judgement) {
            source = judgement.message().getProvenance().getSource();
        } else if (example instanceof Question question) {
            source = question.message().getSource();
        }
        return source.isEmpty() ? Mixture.UNNAMED : source;
    }

    /** Weight 0 means that the producer gave none: proto3 does not tell the two apart. */
    static double weight(double given) {
        return given == 0 ? 1 : given;
    }

    private static TrainingSequence sequence(TokenSequence message) {
        int[] ids = message.getIdsList().stream().mapToInt(Integer::intValue).toArray();
        boolean[] mask = new boolean[message.getLossMask().size()];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = message.getLossMask().byteAt(i) != 0;
        }
        return new TrainingSequence(message.getExampleId(), ids, mask, weight(message.getWeight()));
    }
}
