package io.tidemill.trainer.checkpoint;

import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/**
 * {@code state/quarantined.tsv} of a refused version: the records by which it diverged, one line each: topic, partition,
 * offset, example id. No later round reads them where they stand.
 */
public final class QuarantinedRecords {
    public static final String FILE = "quarantined.tsv";

    /** One record of the log. */
    public record Entry(String topic, int partition, long offset, String exampleId) {
        public TopicPartition topicPartition() {
            return new TopicPartition(topic, partition);
        }
    }

    private QuarantinedRecords() {}

    public static void write(Path state, List<Entry> entries) throws IOException {
        StringBuilder text = new StringBuilder();
        entries.forEach(entry -> text.append(entry.topic)
                .append('\t')
                .append(entry.partition)
                .append('\t')
                .append(entry.offset)
                .append('\t')
                .append(Ledger.escaped(entry.exampleId))
                .append('\n'));
        Durable.write(state.resolve(FILE), text.toString());
    }

    /** Of one version; none where it did not diverge. */
    public static List<Entry> read(Path state) throws IOException {
        Path file = state.resolve(FILE);
        if (!Files.exists(file)) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(line -> line.split("\t", 4))
                    .map(parts -> new Entry(
                            parts[0], Integer.parseInt(parts[1]), Long.parseLong(parts[2]), Ledger.unescaped(parts[3])))
                    .toList();
        }
    }

    /** The shortest slice that has them all. */
    public static Slice around(List<Entry> entries) {
        Map<TopicPartition, OffsetRange> ranges = new HashMap<>();
        entries.forEach(entry -> ranges.merge(
                entry.topicPartition(),
                new OffsetRange(entry.topicPartition(), entry.offset, entry.offset + 1),
                (one, other) -> new OffsetRange(
                        entry.topicPartition(), Math.min(one.from(), other.from()), Math.max(one.to(), other.to()))));
        return new Slice(List.copyOf(ranges.values()));
    }
}
