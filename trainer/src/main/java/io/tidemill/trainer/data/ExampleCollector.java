package io.tidemill.trainer.data;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.data.ExampleReader.Example;
import io.tidemill.trainer.data.ExampleReader.Judgement;
import io.tidemill.trainer.data.ExampleReader.Sequence;
import io.tidemill.trainer.data.ExampleReader.Unreadable;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
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

    /** Stages that no weight of the model comes from. */
    private static final Set<String> UNUSED = Set.of(Stages.HELD_OUT, Stages.WITHOUT_OBJECTIVE, Stages.WITHDRAWAL);

    private record Read(Example example, String topic, int partition, long offset, long timestamp) {}

    private final ExampleReader reader;
    private final ExampleSet seenByLineage;
    private final ExampleOrder order;

    private final Map<String, Read> byExampleId = new HashMap<>();
    private final Map<String, Long> counts = new TreeMap<>();

    public ExampleCollector(ExampleReader reader, ExampleSet seenByLineage, long seed) {
        this.reader = reader;
        this.seenByLineage = seenByLineage;
        this.order = new ExampleOrder(seed);
    }

    /** Takes one record of the slice. */
    public void add(ConsumerRecord<byte[], byte[]> record) {
        Read read =
                new Read(reader.read(record), record.topic(), record.partition(), record.offset(), record.timestamp());
        if (read.example instanceof Unreadable unreadable) {
            LOG.warn(
                    "{}-{}:{} is left out of the round: {}",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    unreadable.reason());
            count(Stages.UNREADABLE);
            return;
        }
        String exampleId = exampleId(read.example);
        if (seenByLineage.contains(exampleId)) {
            count(Stages.REPEATED);
            return;
        }
        Read before = byExampleId.get(exampleId);
        if (before != null) {
            count(Stages.REPEATED);
        }
        if (before == null || OLDEST_FIRST.compare(read, before) > 0) {
            byExampleId.put(exampleId, read);
        }
    }

    private void count(String stage) {
        counts.merge(stage, 1L, Long::sum);
    }

    private static String exampleId(Example example) {
        return example instanceof Sequence sequence
                ? sequence.message().getExampleId()
                : ((Judgement) example).message().getExampleId();
    }

    /** Everything gathered. */
    public RoundExamples finish() {
        List<TokenSequence> pretrain = new ArrayList<>();
        List<TokenSequence> sft = new ArrayList<>();
        List<TokenSequence> heldOutSequences = new ArrayList<>();
        List<Preference> pairs = new ArrayList<>();
        List<Preference> heldOutPreferences = new ArrayList<>();
        List<LedgerEntry> ledger = new ArrayList<>();
        Map<String, Long> sources = new TreeMap<>();
        Optional<Instant> firstFeedback = Optional.empty();

        Withdrawals withdrawals = new Withdrawals();
        byExampleId.values().forEach(read -> withdrawals.add(read.example));
        for (Read read : order.sort(List.copyOf(byExampleId.values()), read -> exampleId(read.example))) {
            Example example = read.example;
            if (withdrawals.concern(example)) {
                count(Stages.WITHDRAWN);
                ledger.add(new LedgerEntry(exampleId(example), Stages.WITHDRAWN));
                continue;
            }
            count(example.stage());
            ledger.add(new LedgerEntry(exampleId(example), example.stage()));
            if (example instanceof Sequence sequence) {
                switch (sequence.stage()) {
                    case Stages.PRETRAIN -> pretrain.add(sequence.message());
                    case Stages.SFT -> sft.add(sequence.message());
                    case Stages.HELD_OUT -> heldOutSequences.add(sequence.message());
                    default -> {}
                }
            } else if (example instanceof Judgement judgement
                    && !example.stage().equals(Stages.WITHDRAWAL)) {
                Instant appended = appended(judgement.message().getProvenance(), read.timestamp);
                firstFeedback =
                        Optional.of(firstFeedback.filter(appended::isAfter).orElse(appended));
                switch (judgement.stage()) {
                    case Stages.DPO -> pairs.add(judgement.message());
                    case Stages.HELD_OUT -> heldOutPreferences.add(judgement.message());
                    default -> {}
                }
            }
            if (!UNUSED.contains(example.stage())) {
                sources.merge(source(example), 1L, Long::sum);
            }
        }
        return new RoundExamples(
                pretrain.stream().map(ExampleCollector::sequence).toList(),
                sft.stream().map(ExampleCollector::sequence).toList(),
                pairs.stream().map(PairExample::of).toList(),
                List.copyOf(heldOutSequences),
                List.copyOf(heldOutPreferences),
                List.copyOf(ledger),
                Map.copyOf(counts),
                Map.copyOf(sources),
                firstFeedback);
    }

    private static Instant appended(Provenance provenance, long recordTimestamp) {
        Timestamp ingest = provenance.getIngestTime();
        return provenance.hasIngestTime()
                ? Instant.ofEpochMilli(Timestamps.toMillis(ingest))
                : Instant.ofEpochMilli(recordTimestamp);
    }

    private static String source(Example example) {
        String source = example instanceof Sequence sequence
                ? sequence.message().getProvenance().getSource()
                : ((Judgement) example).message().getProvenance().getSource();
        return source.isEmpty() ? "unnamed" : source;
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
