package io.tidemill.model.hub;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * A TensorFlow checkpoint of version 2: {@code NAME.index}, and {@code NAME.data-00000-of-0000N} with the raw bytes.
 *
 * <p>Source: github.com/tensorflow/tensorflow, core/protobuf/tensor_bundle.proto and core/util/tensor_bundle.
 */
final class TensorBundle implements Closeable {
    private static final int FLOAT = 1; // DataType.DT_FLOAT
    private static final int MOST_SHARDS = 1000;
    private static final int MOST_DIMENSIONS = 8;
    private static final int CHUNK_BYTES = 1 << 20;

    private final List<FileChannel> shards = new ArrayList<>();
    private final Map<String, Tensor> tensors = new TreeMap<>();

    private TensorBundle() {}

    static TensorBundle open(Path index) throws IOException {
        SortedMap<String, ByteBuffer> entries = SortedTable.read(index);
        TensorBundle bundle = new TensorBundle();
        try {
            bundle.openShards(index, shardCount(index.toString(), entries.remove("")));
            for (Map.Entry<String, ByteBuffer> entry : entries.entrySet()) {
                bundle.tensors.put(entry.getKey(), bundle.tensor(index.toString(), entry.getKey(), entry.getValue()));
            }
            return bundle;
        } catch (IOException | RuntimeException e) {
            bundle.close();
            throw e;
        }
    }

    /** The entry without a name is the header. */
    private static int shardCount(String index, ByteBuffer header) {
        if (header == null) {
            throw new IllegalArgumentException(index + " has no header: it is not a checkpoint's index");
        }
        long shards = 0;
        WireReader in = new WireReader(index, header);
        while (in.next()) {
            switch (in.field()) {
                case 1 -> shards = in.number();
                case 2 -> {
                    if (in.number() != 0) {
                        throw new IllegalArgumentException(index + " is big-endian; only little-endian ones are read");
                    }
                }
                default -> {}
            }
        }
        if (shards < 1 || shards > MOST_SHARDS) {
            throw new IllegalArgumentException(index + " has " + shards + " shards; 1 to " + MOST_SHARDS + " are read");
        }
        return (int) shards;
    }

    private void openShards(Path index, int count) throws IOException {
        String prefix = index.getFileName().toString().replaceFirst("\\.index$", "");
        for (int i = 0; i < count; i++) {
            Path shard = index.resolveSibling("%s.data-%05d-of-%05d".formatted(prefix, i, count));
            if (!Files.isRegularFile(shard)) {
                throw new IllegalArgumentException(index + " needs " + shard.getFileName() + " beside it");
            }
            shards.add(FileChannel.open(shard, StandardOpenOption.READ));
        }
    }

    private Tensor tensor(String index, String name, ByteBuffer entry) throws IOException {
        long type = 0;
        List<Long> shape = new ArrayList<>();
        long shard = 0;
        long offset = 0;
        long bytes = 0;
        int crc = 0;
        boolean partitioned = false;
        WireReader in = new WireReader(index, entry);
        while (in.next()) {
            switch (in.field()) {
                case 1 -> type = in.number();
                case 2 -> shape(in.message(), shape);
                case 3 -> shard = in.number();
                case 4 -> offset = in.number();
                case 5 -> bytes = in.number();
                case 6 -> crc = in.fixed32();
                case 7 -> partitioned = true;
                default -> {}
            }
        }
        if (shard < 0 || shard >= shards.size()) {
            throw new IllegalArgumentException(
                    index + ": tensor " + Names.shown(name) + " is in shard " + shard + " of " + shards.size());
        }
        FileChannel file = shards.get((int) shard);
        if (offset < 0 || bytes < 0 || offset > file.size() || bytes > file.size() - offset) {
            throw new IllegalArgumentException(index + ": tensor " + Names.shown(name) + " has " + bytes
                    + " bytes from " + offset + " on, but the file of tensors has only " + file.size());
        }
        return new Tensor(
                name, partitioned ? -1 : type, shape.stream().mapToLong(l -> l).toArray(), file, offset, bytes, crc);
    }

    private static void shape(WireReader in, List<Long> shape) {
        while (in.next()) {
            if (in.field() == 2) {
                long size = 0;
                WireReader dimension = in.message();
                while (dimension.next()) {
                    if (dimension.field() == 1) {
                        size = dimension.number();
                    }
                }
                if (size < 0 || shape.size() == MOST_DIMENSIONS) {
                    throw in.damaged("has a shape that begins " + shape + " and goes on with " + size);
                }
                shape.add(size);
            }
        }
    }

    Map<String, Tensor> tensors() {
        return tensors;
    }

    @Override
    public void close() throws IOException {
        for (FileChannel shard : shards) {
            shard.close();
        }
    }

    /** @param type TensorFlow's number of the element type, −1 where the tensor is stored in slices */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Tensor(String name, long type, long[] shape, FileChannel file, long offset, long bytes, int maskedCrc)
            implements StoredTensor {

        /** Reads all of it once: type, size and checksum are right. */
        void verify() throws IOException {
            if (type != FLOAT) {
                throw new IllegalArgumentException("Tensor " + name + " has TensorFlow's type " + type
                        + (type < 0 ? " (stored in slices)" : "") + "; only float32, type 1, is read");
            }
            long wanted = 4 * length();
            if (wanted != bytes) {
                throw new IllegalArgumentException("Tensor " + name + " has " + bytes + " bytes, but its shape "
                        + java.util.Arrays.toString(shape) + " needs " + wanted);
            }
            CRC32C crc = new CRC32C();
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, Math.max(1, bytes)));
            for (long at = 0; at < bytes; at += buffer.limit()) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - at));
                fill(buffer, offset + at);
                crc.update(buffer);
            }
            int found = SortedTable.mask((int) crc.getValue());
            if (found != maskedCrc) {
                throw new IllegalArgumentException("Tensor " + name + " is damaged: its checksum is "
                        + Integer.toHexString(found) + " instead of " + Integer.toHexString(maskedCrc));
            }
        }

        @Override
        public void read(long from, float[] into, int count) throws IOException {
            ByteBuffer buffer =
                    ByteBuffer.allocate(Math.min(CHUNK_BYTES, 4 * count)).order(ByteOrder.LITTLE_ENDIAN);
            for (int done = 0; done < count; ) {
                int some = Math.min(buffer.capacity() / 4, count - done);
                fill(buffer.clear().limit(4 * some), offset + 4 * (from + done));
                buffer.asFloatBuffer().get(into, done, some);
                done += some;
            }
        }

        /** Fills the buffer up to its limit and turns it round. */
        private void fill(ByteBuffer buffer, long at) throws IOException {
            long position = at;
            while (buffer.hasRemaining()) {
                int n = file.read(buffer, position);
                if (n < 0) {
                    throw new EOFException("Tensor " + name + " ends at byte " + position);
                }
                position += n;
            }
            buffer.flip();
        }
    }
}
