package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.checkpoint.QuarantinedRecords;
import io.tidemill.trainer.checkpoint.SliceCopy;
import io.tidemill.trainer.checkpoint.Sums;
import io.tidemill.trainer.data.ExampleCollector;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.ExampleReader.Erased;
import io.tidemill.trainer.data.ExampleReader.Example;
import io.tidemill.trainer.data.ExampleReader.Unreadable;
import io.tidemill.trainer.data.ExampleSet;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.SliceOrigins;
import io.tidemill.trainer.slice.SliceReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Reads a round's slice from the log and sorts it out against all that its lineage has seen. */
record SliceExamples(CheckpointStore store, SliceReader slices, ExampleReader reader) {
    /**
     * What a slice holds, and what is learned once more with it.
     *
     * @param records of the slice, by partition
     * @param keys    what each example goes by where something is to be forgotten
     * @param origins of its examples
     * @param copy    of its records, but for what cannot be read or is erased
     */
    record Read(
            RoundExamples examples,
            Map<TopicPartition, Long> records,
            Replayed replayed,
            Map<String, Set<String>> keys,
            SliceOrigins origins,
            SliceCopy copy) {}

    /** @param work of the round, which keeps what was chosen to be learned once more */
    Read read(RoundPlan plan, WorkDirectory work, Lineage lineage) throws IOException {
        ExampleSet seen = new ExampleSet();
        for (VersionId ancestor : lineage.ancestry(plan.parentId())) {
            Path state = store.directory(ancestor).resolve(CheckpointStore.STATE);
            Sums.check(state, Ledger.FILE);
            Ledger.addTo(seen, state);
        }
        ExampleCollector collector = new ExampleCollector(reader, seen, plan.seed());
        Set<Place> quarantined = quarantined(plan);
        SliceCopy copy = new SliceCopy();
        Map<TopicPartition, Long> records = slices.read(plan.slice(), record -> {
            Example example;
            if (quarantined.contains(Place.of(record))) {
                collector.addQuarantined(record.topic());
                example = reader.read(record);
            } else {
                example = collector.add(record);
            }
            if (!(example instanceof Unreadable) && !(example instanceof Erased)) {
                copy.add(record, example.keys());
            }
        });
        RoundExamples examples = collector.finish();

        long read = records.values().stream().mapToLong(Long::longValue).sum();
        long counted =
                examples.counts().values().stream().mapToLong(Long::longValue).sum();
        if (read != counted) {
            throw new IllegalStateException("Slice " + plan.slice() + " holds " + read + " records, but what became of "
                    + counted + " is known: " + examples.counts());
        }
        Replay.Mixed mixed = new Replay(store, slices, reader, record -> !quarantined.contains(Place.of(record)))
                .mix(plan, work, lineage, examples);
        Map<String, Set<String>> keys = new HashMap<>(mixed.keys());
        keys.putAll(collector.keys());
        return new Read(mixed.examples(), records, mixed.replayed(), keys, collector.origins(), copy);
    }

    private record Place(String topic, int partition, long offset) {
        static Place of(ConsumerRecord<byte[], byte[]> record) {
            return new Place(record.topic(), record.partition(), record.offset());
        }
    }

    /** What earlier rounds diverged by. */
    private Set<Place> quarantined(RoundPlan plan) throws IOException {
        Set<Place> places = new HashSet<>();
        long round = new Originals(store).version(plan).round();
        for (VersionId version : store.versions()) {
            if (version.round() < round) {
                Path state = store.directory(version).resolve(CheckpointStore.STATE);
                Sums.check(state, QuarantinedRecords.FILE);
                QuarantinedRecords.read(state)
                        .forEach(entry -> places.add(new Place(entry.topic(), entry.partition(), entry.offset())));
            }
        }
        return places;
    }

    /** Where in the slice examples stand; all records that carry them. */
    List<QuarantinedRecords.Entry> find(RoundPlan plan, Collection<String> exampleIds) {
        Set<String> wanted = Set.copyOf(exampleIds);
        List<QuarantinedRecords.Entry> found = new ArrayList<>();
        slices.read(plan.slice(), record -> {
            String exampleId = reader.read(record).exampleId();
            if (wanted.contains(exampleId)) {
                found.add(new QuarantinedRecords.Entry(record.topic(), record.partition(), record.offset(), exampleId));
            }
        });
        return found;
    }
}
