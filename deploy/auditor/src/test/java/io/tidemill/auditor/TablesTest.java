package io.tidemill.auditor;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.auditor.IdTable.Key;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class TablesTest {
    private static final int CASES = 500;
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);

    @Test
    void aTableKeepsEveryNumberWhileItGrows() {
        Random random = new Random(1);
        IdTable table = new IdTable();
        Map<Key, Integer> expected = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            // Places in the log are close together; hashes are not.
            Key key = i % 2 == 0
                    ? Key.of(random.nextInt(3), random.nextInt(4), random.nextInt(5_000))
                    : Key.of("id-" + random.nextInt(5_000));
            int value = 1 + random.nextInt(1_000);
            table.put(key, value);
            expected.put(key, value);
        }
        assertThat(table.size()).isEqualTo(expected.size());
        expected.forEach((key, value) -> assertThat(table.get(key)).isEqualTo(value));
        assertThat(table.get(Key.of("another"))).isZero();
    }

    @Test
    void spansAreASetOfOffsets() {
        for (int seed = 0; seed < CASES; seed++) {
            Random random = new Random(seed);
            Spans spans = new Spans();
            Set<Long> expected = new HashSet<>();
            for (int step = 0; step < 12; step++) {
                long from = random.nextInt(30);
                Span span = new Span(PARTITION, from, from + random.nextInt(8));
                if (random.nextBoolean()) {
                    spans.add(List.of(span));
                    each(span, expected::add);
                } else {
                    spans.remove(List.of(span));
                    each(span, expected::remove);
                }
            }
            for (long offset = 0; offset < 40; offset++) {
                assertThat(spans.contains(PARTITION, offset))
                        .as("seed %d, offset %d", seed, offset)
                        .isEqualTo(expected.contains(offset));
            }
            Span probe = new Span(PARTITION, 5, 15);
            Set<Long> common = new HashSet<>();
            spans.common(List.of(probe)).forEach(span -> each(span, common::add));
            expected.removeIf(offset -> offset < 5 || offset >= 15);
            assertThat(common).as("seed %d", seed).isEqualTo(expected);
            assertThat(spans.overlap(probe) == null).as("seed %d", seed).isEqualTo(expected.isEmpty());
        }
    }

    private static void each(Span span, java.util.function.LongConsumer offsets) {
        for (long offset = span.from(); offset < span.to(); offset++) {
            offsets.accept(offset);
        }
    }
}
