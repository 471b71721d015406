package io.tidemill.proto.checkpoint;

import java.io.IOException;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * A block of a file told by that of another, deflated: for each little-endian value of 1, 2 or 4 bytes the difference, modulo
 * its range, with the sign in its lowest bit (0, −1, 1, −2, 2 … are 0, 1, 2, 3, 4 …). A floating-point weight that moved by
 * a few units in its last place gives a small number, where XOR gives a long one whenever a carry runs through.
 *
 * <p>The bytes of these numbers stand in planes: all lowest bytes first, then the next ones. In a {@link #sparse} form the
 * unchanged values are left out: before the planes stands a byte for each changed value with the number of unchanged ones in
 * front of it (255: that many, and no changed one yet).
 *
 * @param width  bytes of a value
 * @param sparse whether unchanged values are left out
 */
record ChangedBlock(int width, boolean sparse) {
    /** A block is at most so long, bytes. */
    static final int BYTES = 1 << 16;

    /** Every form there is, the one of the place in the list. */
    static final ChangedBlock[] FORMS = {
        new ChangedBlock(1, false),
        new ChangedBlock(2, false),
        new ChangedBlock(4, false),
        new ChangedBlock(1, true),
        new ChangedBlock(2, true),
        new ChangedBlock(4, true)
    };

    private static final int RUN = 255;

    /** Bytes that a sparse form can take before it is deflated: every value changed, and the runs of a block without one. */
    private static int room(int length) {
        return 2 * length + length / RUN + 8;
    }

    /** The place in the list. */
    int number() {
        return Arrays.asList(FORMS).indexOf(this);
    }

    /** The deflated difference; both blocks have that many bytes. */
    byte[] write(byte[] base, byte[] changed, int length, Deflater deflater) {
        byte[] plain = new byte[room(length)];
        int bytes = sparse ? sparse(base, changed, length, plain) : planes(base, changed, length, plain);
        deflater.reset();
        deflater.setInput(plain, 0, bytes);
        deflater.finish();
        byte[] deflated = new byte[bytes + bytes / 8 + 64];
        int size = 0;
        while (!deflater.finished()) {
            if (size == deflated.length) {
                deflated = Arrays.copyOf(deflated, 2 * size);
            }
            size += deflater.deflate(deflated, size, deflated.length - size);
        }
        return Arrays.copyOf(deflated, size);
    }

    private int planes(byte[] base, byte[] changed, int length, byte[] plain) {
        int values = length / width;
        for (int i = 0; i < values; i++) {
            put(difference(base, changed, i), plain, i, values);
        }
        tail(base, changed, length, plain, values * width);
        return length;
    }

    /** Bytes behind the last whole value are told as they are. */
    private void tail(byte[] base, byte[] changed, int length, byte[] plain, int at) {
        int whole = length / width * width;
        for (int i = whole; i < length; i++) {
            plain[at + i - whole] = (byte) (base[i] ^ changed[i]);
        }
    }

    private int sparse(byte[] base, byte[] changed, int length, byte[] plain) {
        int values = length / width;
        int[] differences = new int[values];
        int count = 0;
        int at = 0;
        int gap = 0;
        for (int i = 0; i < values; i++) {
            int difference = difference(base, changed, i);
            if (difference != 0) {
                plain[at++] = (byte) gap;
                differences[count++] = difference;
                gap = 0;
            } else if (++gap == RUN) {
                plain[at++] = (byte) RUN;
                gap = 0;
            }
        }
        byte[] planes = new byte[count * width];
        for (int i = 0; i < count; i++) {
            put(differences[i], planes, i, count);
        }
        System.arraycopy(planes, 0, plain, at, planes.length);
        at += planes.length;
        tail(base, changed, length, plain, at);
        return at + length % width;
    }

    private int difference(byte[] base, byte[] changed, int i) {
        int shift = 32 - 8 * width;
        int difference = (value(changed, i) - value(base, i)) << shift >> shift; // modulo the range, with its sign
        return (difference << 1 ^ difference >> 31) & -1 >>> shift;
    }

    private int value(byte[] bytes, int i) {
        int value = 0;
        for (int k = 0; k < width; k++) {
            value |= (bytes[i * width + k] & 255) << 8 * k;
        }
        return value;
    }

    private void put(int difference, byte[] planes, int i, int values) {
        for (int k = 0; k < width; k++) {
            planes[k * values + i] = (byte) (difference >>> 8 * k);
        }
    }

    /**
     * Makes the base's block the changed one.
     *
     * @throws IOException if the deflated bytes are not what {@link #write} makes
     */
    void restore(byte[] deflated, byte[] block, int length, Inflater inflater) throws IOException {
        byte[] plain = new byte[room(length)];
        inflater.reset();
        inflater.setInput(deflated);
        int bytes;
        try {
            bytes = inflater.inflate(plain);
        } catch (DataFormatException e) {
            throw new IOException("it cannot be inflated: " + e.getMessage(), e);
        }
        if (!inflater.finished() || inflater.getRemaining() > 0) {
            throw new IOException("its deflated bytes do not end where they should");
        }
        if (sparse) {
            restoreSparse(plain, bytes, block, length);
        } else {
            restorePlanes(plain, bytes, block, length);
        }
    }

    private void restorePlanes(byte[] plain, int bytes, byte[] block, int length) throws IOException {
        if (bytes != length) {
            throw new IOException("it tells " + bytes + " bytes instead of " + length);
        }
        int values = length / width;
        for (int i = 0; i < values; i++) {
            add(block, i, get(plain, 0, i, values));
        }
        restoreTail(plain, values * width, block, length);
    }

    private void restoreSparse(byte[] plain, int bytes, byte[] block, int length) throws IOException {
        int values = length / width;
        int[] places = new int[values];
        int count = 0;
        int at = 0;
        int next = 0;
        int left = bytes - length % width;
        // A changed value takes a byte here and its width below.
        while (at < left - count * width) {
            int gap = plain[at++] & 255;
            next += gap;
            if (gap < RUN) {
                if (next >= values) {
                    throw new IOException("it tells of value " + next + " of " + values);
                }
                places[count++] = next++;
            }
        }
        if (at + count * width != left) {
            throw new IOException("it tells " + bytes + " bytes of " + count + " values");
        }
        for (int i = 0; i < count; i++) {
            add(block, places[i], get(plain, at, i, count));
        }
        restoreTail(plain, left, block, length);
    }

    private int get(byte[] planes, int from, int i, int values) {
        int told = 0;
        for (int k = 0; k < width; k++) {
            told |= (planes[from + k * values + i] & 255) << 8 * k;
        }
        return told;
    }

    private void add(byte[] block, int i, int told) {
        int value = value(block, i) + (told >>> 1 ^ -(told & 1));
        for (int k = 0; k < width; k++) {
            block[i * width + k] = (byte) (value >>> 8 * k);
        }
    }

    private void restoreTail(byte[] plain, int at, byte[] block, int length) {
        int whole = length / width * width;
        for (int i = whole; i < length; i++) {
            block[i] ^= plain[at + i - whole];
        }
    }
}
