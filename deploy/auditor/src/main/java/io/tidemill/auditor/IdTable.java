package io.tidemill.auditor;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A number for each id, in one open-addressed table: 16 bytes of the id's hash and 4 of the number, at most two thirds
 * full; so between 30 and 60 bytes an id, and 90 while it grows.
 *
 * <p>Two different ids collide with a probability of about n² / 2¹²⁹; at a billion ids that is below 10⁻²⁰.
 */
final class IdTable {
    private static final int SMALLEST = 1024;

    private long[] keys = new long[2 * SMALLEST];
    private int[] values = new int[SMALLEST];
    private int size;

    /** 128 bits that stand for an id. */
    record Key(long high, long low) {
        /** The first half of the SHA-256 over the parts with a zero byte between them. */
        static Key of(String... parts) {
            byte[] hash = Hash.sha256(String.join("\0", parts).getBytes(StandardCharsets.UTF_8));
            ByteBuffer bytes = ByteBuffer.wrap(hash);
            return new Key(bytes.getLong(), bytes.getLong());
        }

        /** Exact, for a place in the log. */
        static Key of(int topic, int partition, long offset) {
            return new Key(((long) topic << 32) | partition, offset);
        }
    }

    /** The number of an id; 0 where it has none. */
    int get(Key key) {
        return values[slot(keys, values, key)];
    }

    /** @param value never 0 */
    void put(Key key, int value) {
        int slot = slot(keys, values, key);
        if (values[slot] == 0) {
            if (3L * (size + 1) > 2L * values.length) {
                grow();
                slot = slot(keys, values, key);
            }
            size++;
        }
        keys[2 * slot] = key.high;
        keys[2 * slot + 1] = key.low;
        values[slot] = value;
    }

    int size() {
        return size;
    }

    private void grow() {
        long[] moreKeys = new long[Math.multiplyExact(keys.length, 2)];
        int[] moreValues = new int[values.length * 2];
        for (int i = 0; i < values.length; i++) {
            if (values[i] != 0) {
                int slot = slot(moreKeys, moreValues, new Key(keys[2 * i], keys[2 * i + 1]));
                moreKeys[2 * slot] = keys[2 * i];
                moreKeys[2 * slot + 1] = keys[2 * i + 1];
                moreValues[slot] = values[i];
            }
        }
        keys = moreKeys;
        values = moreValues;
    }

    /** Where the key stands, or the free slot where it belongs. */
    private static int slot(long[] keys, int[] values, Key key) {
        int mask = values.length - 1;
        int slot = (int) (mixed(key.high ^ mixed(key.low)) & mask);
        while (values[slot] != 0 && (keys[2 * slot] != key.high || keys[2 * slot + 1] != key.low)) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    /** Places in the log are no hashes. The finaliser of SplitMix64 (Steele, Lea and Flood, 2014). */
    private static long mixed(long bits) {
        long z = (bits ^ (bits >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
