package io.tidemill.preprocess.state;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.preprocess.state.ExpiringMap.Entry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ExpiringMapTest {
    private final TopologyTestDriver driver = new TopologyTestDriver(topology().build(), properties());
    private final KeyValueStore<Bytes, byte[]> store = driver.getKeyValueStore("store");
    private final List<String> forgotten = new ArrayList<>();

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void whatWasPutIsThereWithItsTime() {
        ExpiringMap map = map(10);
        put(map, "a", "1", 100);

        Entry entry = map.get("a").orElseThrow();
        assertThat(new String(entry.value(), UTF_8)).isEqualTo("1");
        assertThat(entry.atMillis()).isEqualTo(100);
        assertThat(map.get("b")).isEmpty();
    }

    @Test
    void anEntryIsForgottenWhenItIsOlderThanTheRetentionAndNotBefore() {
        ExpiringMap map = map(10);
        put(map, "old", "1", 1_000);
        put(map, "young", "2", 1_001);

        map.expire(2_000, this::forget);
        assertThat(forgotten).isEmpty();
        map.expire(2_001, this::forget);
        assertThat(forgotten).containsExactly("old");
        assertThat(map.get("young")).isPresent();
        assertThat(map.size()).isEqualTo(1);
    }

    @Test
    void puttingAgainMakesAnEntryYoung() {
        ExpiringMap map = map(10);
        put(map, "a", "1", 1_000);
        put(map, "a", "2", 5_000);

        map.expire(3_000, this::forget);
        assertThat(forgotten).isEmpty();
        assertThat(map.size()).isEqualTo(1);
    }

    @Test
    void aFullMapForgetsItsOldest() {
        ExpiringMap map = map(2);
        put(map, "b", "1", 20);
        put(map, "a", "1", 10);
        put(map, "c", "1", 30);

        assertThat(forgotten).containsExactly("a");
        assertThat(map.size()).isEqualTo(2);
    }

    @Test
    void mapsOfOtherNamesInTheSameStoreAreOtherMaps() {
        ExpiringMap one = map(10);
        ExpiringMap other = new ExpiringMap(store, 'p', new Limits(Duration.ofSeconds(1), 10));
        put(one, "a", "1", 1);
        put(other, "a", "2", 9_000);

        one.expire(10_000, this::forget);
        assertThat(one.get("a")).isEmpty();
        assertThat(other.get("a")).isPresent();
        assertThat(other.withPrefix("")).hasSize(1);
    }

    @Test
    void aPrefixFindsItsOwnKeysOnly() {
        ExpiringMap map = map(10);
        for (String key : List.of("t1\0a", "t1\0\uD83C\uDF0A", "t10\0a", "t2\0a", "t1")) {
            put(map, key, key, 1);
        }
        assertThat(map.withPrefix("t1\0"))
                .extracting(Entry::key)
                .containsExactlyInAnyOrder("t1\0a", "t1\0\uD83C\uDF0A");
    }

    @Test
    void itBehavesLikeAMapSortedByAge() {
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            ExpiringMap map = new ExpiringMap(store, (char) ('0' + seed), new Limits(Duration.ofMillis(500), 8));
            Map<String, Long> expected = new TreeMap<>();
            for (int step = 0; step < 25; step++) {
                String key = "k" + random.nextInt(12);
                long at = step * 20L + random.nextInt(200);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        map.remove(key);
                        expected.remove(key);
                    }
                    case 1 -> {
                        map.expire(at, this::forget);
                        expected.values().removeIf(time -> time < at - 500);
                    }
                    default -> {
                        put(map, key, key, at);
                        expected.put(key, at);
                        if (expected.size() > 8) {
                            expected.remove(expected.entrySet().stream()
                                    .min(Map.Entry.<String, Long>comparingByValue()
                                            .thenComparing(Map.Entry.comparingByKey()))
                                    .orElseThrow()
                                    .getKey());
                        }
                    }
                }
                assertThat(map.size()).as("seed %d, step %d", seed, step).isEqualTo(expected.size());
            }
            assertThat(map.withPrefix("").stream()
                            .sorted(Comparator.comparing(Entry::key))
                            .map(entry -> entry.key() + "@" + entry.atMillis()))
                    .as("seed %d", seed)
                    .isEqualTo(expected.entrySet().stream()
                            .map(entry -> entry.getKey() + "@" + entry.getValue())
                            .toList());
        }
    }

    private ExpiringMap map(long maxEntries) {
        return new ExpiringMap(store, 'm', new Limits(Duration.ofSeconds(1), maxEntries));
    }

    private void put(ExpiringMap map, String key, String value, long at) {
        map.put(key, value.getBytes(UTF_8), at, this::forget);
    }

    private void forget(Entry entry) {
        forgotten.add(entry.key());
    }

    private static StreamsBuilder topology() {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(
                Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("store"), Serdes.Bytes(), Serdes.ByteArray()));
        builder.<byte[], byte[]>stream("input").process(() -> new Nothing(), "store");
        return builder;
    }

    private static Properties properties() {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        return properties;
    }

    private static final class Nothing implements Processor<byte[], byte[], byte[], byte[]> {
        @Override
        public void process(Record<byte[], byte[]> record) {}
    }
}
