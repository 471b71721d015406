package io.tidemill.model.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * LevelDB's table of sorted keys, in which TensorFlow keeps a checkpoint's index: blocks of entries that share prefixes
 * with the entry before, an index block of blocks, a footer of 48 bytes.
 *
 * <p>Source: github.com/google/leveldb, doc/table_format.md; github.com/tensorflow/tensorflow, tsl/lib/io/format.h,
 * where checksums are masked CRC-32C. Blocks must not be compressed, as TensorFlow writes them.
 */
final class SortedTable {
    private static final int FOOTER_BYTES = 48;
    private static final int TRAILER_BYTES = 5; // type, masked checksum
    private static final long MAGIC = 0xDB4775248B80FB57L;
    private static final long MOST_BYTES = 64 << 20;
    private static final int LONGEST_KEY = 4096;

    private final String name;
    private final ByteBuffer file;

    private SortedTable(String name, ByteBuffer file) {
        this.name = name;
        this.file = file.order(ByteOrder.LITTLE_ENDIAN);
    }

    /** All entries by key. */
    static SortedMap<String, ByteBuffer> read(Path path) throws IOException {
        long size = Files.size(path);
        if (size > MOST_BYTES) {
            throw new IllegalArgumentException(path + " has " + size + " bytes; an index has at most " + MOST_BYTES);
        }
        return read(path.toString(), ByteBuffer.wrap(Files.readAllBytes(path)));
    }

    static SortedMap<String, ByteBuffer> read(String name, ByteBuffer file) {
        return new SortedTable(name, file).entries();
    }

    private SortedMap<String, ByteBuffer> entries() {
        if (file.capacity() < FOOTER_BYTES || file.getLong(file.capacity() - 8) != MAGIC) {
            throw bad("is no index of a TensorFlow checkpoint (version 2): the number that ends one is not there");
        }
        ByteBuffer footer = slice(file, file.capacity() - FOOTER_BYTES, FOOTER_BYTES - 8);
        handle(footer); // of filters and the like, which are not read
        SortedMap<String, ByteBuffer> blocks = block(handle(footer));
        TreeMap<String, ByteBuffer> all = new TreeMap<>();
        for (ByteBuffer block : blocks.values()) {
            for (Map.Entry<String, ByteBuffer> entry : block(handle(block)).entrySet()) {
                if (!all.isEmpty() && all.lastKey().compareTo(entry.getKey()) >= 0) {
                    throw bad("has its keys out of order at '" + Names.shown(entry.getKey()) + "'");
                }
                all.put(entry.getKey(), entry.getValue());
            }
        }
        return all;
    }

    private ByteBuffer handle(ByteBuffer in) {
        long at = varint(in);
        long bytes = varint(in);
        if (at < 0 || bytes < 0 || at > file.capacity() || bytes > file.capacity() - TRAILER_BYTES - at) {
            throw bad(
                    "has a block at byte " + at + " of " + bytes + " bytes, but is only " + file.capacity() + " long");
        }
        ByteBuffer block = slice(file, (int) at, (int) bytes);
        int type = file.get((int) (at + bytes));
        int found = mask(crc(slice(file, (int) at, (int) bytes + 1)));
        int stored = file.getInt((int) (at + bytes + 1));
        if (found != stored) {
            throw bad("is damaged: the block at byte " + at + " has checksum " + Integer.toHexString(found)
                    + " instead of " + Integer.toHexString(stored));
        }
        if (type != 0) {
            throw bad("has a block of compression " + type + ", but only uncompressed ones are read");
        }
        return block;
    }

    /** The entries of a block, which ends with the places where prefixes begin anew and their number. */
    private SortedMap<String, ByteBuffer> block(ByteBuffer block) {
        int size = block.capacity();
        long restarts = size < 4 ? -1 : block.getInt(size - 4);
        if (restarts < 0 || restarts * 4 + 4 > size) {
            throw bad("has a block of " + size + " bytes with " + restarts + " restarts");
        }
        ByteBuffer in = slice(block, 0, (int) (size - 4 - restarts * 4));
        TreeMap<String, ByteBuffer> entries = new TreeMap<>();
        byte[] key = new byte[0];
        while (in.hasRemaining()) {
            long shared = varint(in);
            long own = varint(in);
            long value = varint(in);
            if (shared < 0
                    || shared > key.length
                    || own < 0
                    || value < 0
                    || own > in.remaining()
                    || value > in.remaining() - own
                    || shared + own > LONGEST_KEY) {
                throw bad("has an entry with " + shared + " + " + own + " bytes of key and " + value
                        + " of value where " + in.remaining() + " bytes are left");
            }
            byte[] next = new byte[(int) (shared + own)];
            System.arraycopy(key, 0, next, 0, (int) shared);
            in.get(next, (int) shared, (int) own);
            key = next;
            entries.put(new String(key, StandardCharsets.ISO_8859_1), slice(in, in.position(), (int) value));
            in.position(in.position() + (int) value);
        }
        return entries;
    }

    private long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < 64 && in.hasRemaining(); shift += 7) {
            byte next = in.get();
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw bad("has a number that does not end");
    }

    private static ByteBuffer slice(ByteBuffer of, int at, int bytes) {
        return of.slice(at, bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    /** A checksum of bytes that hold checksums would be weak, so LevelDB stores this of it. */
    static int mask(int crc) {
        return (crc >>> 15 | crc << 17) + 0xA282EAD8;
    }

    private IllegalArgumentException bad(String what) {
        return new IllegalArgumentException(name + " " + what);
    }
}
