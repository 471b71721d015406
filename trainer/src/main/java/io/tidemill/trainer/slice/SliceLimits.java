package io.tidemill.trainer.slice;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * Where a slice ends: the oldest records first, until a stage has its fill.
 *
 * @param maximumExamples of each stage
 * @param maximumTokens   of each stage, where its records are token sequences; the first record is always taken
 */
public record SliceLimits(long maximumExamples, long maximumTokens) {
    private static final Comparator<Waiting> OLDEST_FIRST = Comparator.comparingLong(Waiting::timestamp)
            .thenComparing(waiting -> waiting.partition().topic())
            .thenComparingInt(waiting -> waiting.partition().partition())
            .thenComparingLong(Waiting::offset);

    public SliceLimits {
        if (maximumExamples < 1 || maximumTokens < 1) {
            throw new IllegalArgumentException(
                    "A slice must hold at least one example and one token, but its limits are " + maximumExamples
                            + " and " + maximumTokens);
        }
    }

    /**
     * Cuts the ends. A topic is cut where the first of its stages is full, for all its partitions at the same time.
     *
     * @param waiting   everything waiting
     * @param positions up to where each partition was read; the end of a partition that is not cut
     * @return the end of each partition
     */
    public Map<TopicPartition, Long> ends(List<Waiting> waiting, Map<TopicPartition, Long> positions) {
        List<Waiting> sorted = new ArrayList<>(waiting);
        sorted.sort(OLDEST_FIRST);
        Map<TopicPartition, Long> ends = new HashMap<>(positions);
        Map<String, long[]> taken = new HashMap<>(); // stage → examples, tokens
        Set<String> full = new HashSet<>(); // topics
        for (Waiting record : sorted) {
            String topic = record.partition().topic();
            if (!full.contains(topic) && !fits(record, taken)) {
                full.add(topic);
            }
            if (full.contains(topic)) {
                ends.merge(record.partition(), record.offset(), Math::min);
            }
        }
        return ends;
    }

    private boolean fits(Waiting record, Map<String, long[]> taken) {
        if (!record.trainable()) {
            return true;
        }
        long[] sums = taken.computeIfAbsent(record.stage(), stage -> new long[2]);
        if (sums[0] > 0 && (sums[0] + 1 > maximumExamples || sums[1] + record.tokens() > maximumTokens)) {
            return false;
        }
        sums[0]++;
        sums[1] += record.tokens();
        return true;
    }
}
