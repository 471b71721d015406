package io.tidemill.trainer.round;

import io.tidemill.proto.v1.SliceRange;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/**
 * What a round learns once more; chosen when the round first reads, and from then on always the same.
 *
 * @param slices   of ancestors that are read for it, as far as the log still holds them
 * @param examples ids, each with its stage
 * @param gone     examples of those ancestors that could not be read any more
 */
record Replayed(List<Slice> slices, List<LedgerEntry> examples, long gone) {
    static final Replayed NOTHING = new Replayed(List.of(), List.of(), 0);

    Replayed {
        slices = List.copyOf(slices);
        examples = List.copyOf(examples);
    }

    /** As a manifest has it, which lists all ranges one after the other. */
    static Replayed of(List<SliceRange> ranges, List<LedgerEntry> examples) {
        List<Map<TopicPartition, OffsetRange>> slices = new ArrayList<>();
        for (OffsetRange range : ranges.stream()
                .map(range -> new OffsetRange(
                        range.getTopic(), range.getPartition(), range.getFromOffset(), range.getToOffset()))
                .toList()) {
            Map<TopicPartition, OffsetRange> free = slices.stream()
                    .filter(slice -> !slice.containsKey(range.topicPartition()))
                    .findFirst()
                    .orElseGet(() -> {
                        slices.add(new HashMap<>());
                        return slices.get(slices.size() - 1);
                    });
            free.put(range.topicPartition(), range);
        }
        return new Replayed(
                slices.stream()
                        .map(slice -> new Slice(List.copyOf(slice.values())))
                        .toList(),
                examples,
                0);
    }

    Map<String, Long> counts() {
        Map<String, Long> counts = new TreeMap<>();
        examples.forEach(entry -> counts.merge(entry.stage(), 1L, Long::sum));
        return counts;
    }

    /** For the event; records are not counted, because only some of them take part. */
    List<SliceRange> ranges() {
        return slices.stream()
                .flatMap(slice -> slice.toProto(Map.of()).stream())
                .filter(range -> range.getToOffset() > range.getFromOffset())
                .toList();
    }
}
