package io.tidemill.preprocess.state;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * A map with a time limit and a size limit, inside one key-value store that it may share with maps of other names.
 *
 * <p>Layout of the store's keys, where n is the map's name as one byte: {@code n 'k' key} holds the entry, whose value
 * begins with its time; {@code n 't' time key} orders the entries by age; {@code n 'c'} counts them. All three change
 * in the same transaction, so that the limits hold after any restart. Times are milliseconds since 1970, big-endian.
 */
public final class ExpiringMap {
    /** Entries forgotten in one go, so that a large purge does not stall the stream. */
    private static final int PURGE_BATCH = 10_000;

    private final KeyValueStore<Bytes, byte[]> store;
    private final byte name;
    private final Limits limits;
    // Deleted index entries are slow to pass until they are compacted away; no need to look where nothing is left.
    private long oldestMillis;

    public ExpiringMap(KeyValueStore<Bytes, byte[]> store, char name, Limits limits) {
        this.store = store;
        this.name = (byte) name;
        this.limits = limits;
    }

    /** One entry of the map. */
    @SuppressWarnings("ArrayRecordComponent") // read, never compared
    public record Entry(String key, byte[] value, long atMillis) {}

    public Optional<Entry> get(String key) {
        byte[] stored = store.get(entryKey(key));
        return stored == null ? Optional.empty() : Optional.of(entry(key, stored));
    }

    /** Puts or replaces an entry; when the map is then too large, its oldest go to {@code forgotten}. */
    public void put(String key, byte[] value, long atMillis, Consumer<Entry> forgotten) {
        long time = Math.max(0, atMillis);
        byte[] previous = store.get(entryKey(key));
        if (previous != null) {
            store.delete(ageKey(timeOf(previous), key));
        }
        byte[] stored = ByteBuffer.allocate(Long.BYTES + value.length)
                .putLong(time)
                .put(value)
                .array();
        store.put(entryKey(key), stored);
        store.put(ageKey(time, key), new byte[0]);
        oldestMillis = Math.min(oldestMillis, time);
        if (previous == null) {
            long size = size() + 1;
            setSize(size);
            if (size > limits.maxEntries()) {
                purge(Long.MAX_VALUE, (int) Math.min(PURGE_BATCH, size - limits.maxEntries()), forgotten);
            }
        }
    }

    public Optional<Entry> remove(String key) {
        Optional<Entry> entry = get(key);
        entry.ifPresent(this::delete);
        return entry;
    }

    /** Entries whose key begins so, ordered by key. */
    public List<Entry> withPrefix(String prefix) {
        byte[] from = entryKey(prefix).get();
        List<Entry> entries = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> found = store.range(Bytes.wrap(from), Bytes.wrap(after(from)))) {
            while (found.hasNext()) {
                KeyValue<Bytes, byte[]> next = found.next();
                byte[] key = next.key.get();
                if (startsWith(key, from)) {
                    entries.add(entry(new String(key, 2, key.length - 2, StandardCharsets.UTF_8), next.value));
                }
            }
        }
        return entries;
    }

    /** Removes all entries of which that holds; one at a time is in memory, and the keys of those that go. */
    public long removeIf(Predicate<Entry> condition) {
        List<Entry> gone = new ArrayList<>();
        byte[] from = entryKey("").get();
        try (KeyValueIterator<Bytes, byte[]> found = store.range(Bytes.wrap(from), Bytes.wrap(after(from)))) {
            while (found.hasNext()) {
                KeyValue<Bytes, byte[]> next = found.next();
                byte[] key = next.key.get();
                if (startsWith(key, from)) {
                    Entry entry = entry(new String(key, 2, key.length - 2, StandardCharsets.UTF_8), next.value);
                    if (condition.test(entry)) {
                        gone.add(new Entry(entry.key, new byte[0], entry.atMillis));
                    }
                }
            }
        }
        gone.forEach(this::delete);
        return gone.size();
    }

    /** Forgets what is older than the time limit at {@code nowMillis}, oldest first. */
    public void expire(long nowMillis, Consumer<Entry> forgotten) {
        purge(nowMillis - limits.retention().toMillis(), PURGE_BATCH, forgotten);
    }

    public long size() {
        byte[] count = store.get(countKey());
        return count == null ? 0 : ByteBuffer.wrap(count).getLong();
    }

    private void purge(long beforeMillis, int atMost, Consumer<Entry> forgotten) {
        List<Entry> old = oldest(beforeMillis, atMost);
        for (Entry entry : old) {
            delete(entry);
            oldestMillis = entry.atMillis();
            forgotten.accept(entry);
        }
    }

    private List<Entry> oldest(long beforeMillis, int atMost) {
        List<Entry> old = new ArrayList<>();
        if (beforeMillis <= oldestMillis) {
            return old;
        }
        try (KeyValueIterator<Bytes, byte[]> byAge = store.range(ageKey(oldestMillis, ""), ageKey(beforeMillis, ""))) {
            while (byAge.hasNext() && old.size() < atMost) {
                byte[] key = byAge.next().key.get();
                int prefix = 2 + Long.BYTES;
                get(new String(key, prefix, key.length - prefix, StandardCharsets.UTF_8))
                        .ifPresent(old::add);
            }
        }
        return old;
    }

    private void delete(Entry entry) {
        store.delete(entryKey(entry.key()));
        store.delete(ageKey(entry.atMillis(), entry.key()));
        setSize(size() - 1);
    }

    private void setSize(long size) {
        store.put(countKey(), ByteBuffer.allocate(Long.BYTES).putLong(size).array());
    }

    private Bytes entryKey(String key) {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(2 + text.length)
                .put(name)
                .put((byte) 'k')
                .put(text)
                .array());
    }

    private Bytes ageKey(long atMillis, String key) {
        byte[] text = key.getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(2 + Long.BYTES + text.length)
                .put(name)
                .put((byte) 't')
                .putLong(atMillis)
                .put(text)
                .array());
    }

    private Bytes countKey() {
        return Bytes.wrap(new byte[] {name, (byte) 'c'});
    }

    private static Entry entry(String key, byte[] stored) {
        return new Entry(key, Arrays.copyOfRange(stored, Long.BYTES, stored.length), timeOf(stored));
    }

    private static long timeOf(byte[] stored) {
        return ByteBuffer.wrap(stored).getLong();
    }

    /** No key of UTF-8 text with this beginning sorts after it. */
    private static byte[] after(byte[] prefix) {
        byte[] after = Arrays.copyOf(prefix, prefix.length + 1);
        after[prefix.length] = (byte) 0xFF;
        return after;
    }

    private static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }
}
