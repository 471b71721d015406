package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.data.ExampleCollector;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.ExampleSet;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.slice.SliceReader;
import java.io.IOException;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** Reads a round's slice from the log and sorts it out against all that its lineage has seen. */
record SliceExamples(CheckpointStore store, SliceReader slices, ExampleReader reader) {
    /** What a slice holds, with the number of records by partition. */
    record Read(RoundExamples examples, Map<TopicPartition, Long> records) {}

    Read read(RoundPlan plan, Lineage lineage) throws IOException {
        ExampleSet seen = new ExampleSet();
        for (VersionId ancestor : lineage.ancestry()) {
            Ledger.addTo(seen, store.directory(ancestor).resolve(CheckpointStore.STATE));
        }
        ExampleCollector collector = new ExampleCollector(reader, seen, plan.seed());
        Map<TopicPartition, Long> records = slices.read(plan.slice(), collector::add);
        RoundExamples examples = collector.finish();

        long read = records.values().stream().mapToLong(Long::longValue).sum();
        long counted =
                examples.counts().values().stream().mapToLong(Long::longValue).sum();
        if (read != counted) {
            throw new IllegalStateException("Slice " + plan.slice() + " holds " + read + " records, but what became of "
                    + counted + " is known: " + examples.counts());
        }
        return new Read(examples, records);
    }
}
