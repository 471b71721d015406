package io.tidemill.trainer.data;

/**
 * A set of example ids in 16 bytes each: the first 128 bits of the SHA-256 of each id, in one open-addressed table.
 *
 * <p>Two different ids collide with a probability of about n² / 2¹²⁹; at a billion ids that is below 10⁻²⁰.
 */
public final class ExampleSet {
    private long[] table = new long[2 * 1024];
    private int size;

    /** True if it was not in the set before. */
    public boolean add(String exampleId) {
        if (4L * size >= table.length) { // at most half full
            grow();
        }
        byte[] hash = Hashes.sha256(exampleId);
        boolean added = put(table, Hashes.longAt(hash, 0), Hashes.longAt(hash, 8));
        size += added ? 1 : 0;
        return added;
    }

    public boolean contains(String exampleId) {
        byte[] hash = Hashes.sha256(exampleId);
        int slot = find(table, Hashes.longAt(hash, 0), Hashes.longAt(hash, 8));
        return (table[slot] | table[slot + 1]) != 0;
    }

    public int size() {
        return size;
    }

    private void grow() {
        long[] larger = new long[Math.multiplyExact(table.length, 2)];
        for (int slot = 0; slot < table.length; slot += 2) {
            if ((table[slot] | table[slot + 1]) != 0) {
                put(larger, table[slot], table[slot + 1]);
            }
        }
        table = larger;
    }

    private static boolean put(long[] table, long high, long low) {
        int slot = find(table, high, low);
        boolean absent = (table[slot] | table[slot + 1]) == 0;
        table[slot] = high;
        table[slot + 1] = low;
        return absent;
    }

    /** Where the pair stands, or the free slot where it belongs. A pair of zeros means free: no hash is all zeros. */
    private static int find(long[] table, long high, long low) {
        int mask = table.length / 2 - 1;
        int slot = (int) high & mask;
        while ((table[2 * slot] | table[2 * slot + 1]) != 0
                && !(table[2 * slot] == high && table[2 * slot + 1] == low)) {
            slot = (slot + 1) & mask;
        }
        return 2 * slot;
    }
}
