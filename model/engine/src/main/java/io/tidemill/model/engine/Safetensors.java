package io.tidemill.model.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The safetensors format: eight bytes of header length, a JSON header, then the tensors without gaps, little-endian.
 *
 * <p>Source: github.com/huggingface/safetensors, "Format". Read are F32, BF16 and F16, all as float32; written are F32
 * and BF16 (rounded to nearest, ties to even). A header that lies about sizes, leaves gaps or overlaps is refused
 * before any tensor is read. Files are mapped into memory, a window at a time.
 */
public final class Safetensors {
    private static final int CHUNK = 1 << 20; // elements converted at once
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Safetensors() {}

    /** A tensor of a file: its type by safetensors' name, and its shape. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Entry(String name, String type, long[] shape) {
        /** Number of elements. */
        public long length() {
            long length = 1;
            for (long size : shape) {
                length = Math.multiplyExact(length, size);
            }
            return length;
        }
    }

    /** Takes or fills the elements {@code from …} of a tensor: as many as the chunk has room for. */
    @FunctionalInterface
    public interface Chunk {
        void accept(long from, float[] values, int count) throws IOException;
    }

    /** Gives the elements of a tensor that is being written. */
    @FunctionalInterface
    public interface Source {
        void fill(Entry entry, long from, float[] values, int count) throws IOException;
    }

    /** Takes the next bytes of a tensor. */
    @FunctionalInterface
    interface Sink {
        void take(ByteBuffer bytes) throws IOException;
    }

    /** Gives all elements of a tensor that is being written, as they lie in the file: little-endian, in order. */
    @FunctionalInterface
    interface RawSource {
        void give(Entry entry, Sink sink) throws IOException;
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    /** Opens a file, a {@code *.index.json} with its shards, or the weights of a Hugging Face directory. */
    public static Reader open(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return path.toString().endsWith(".json") ? sharded(path) : new Reader(List.of(Shard.open(path)));
        }
        Path single = path.resolve(ModelFiles.WEIGHTS);
        if (Files.exists(single)) {
            return new Reader(List.of(Shard.open(single)));
        }
        Path index = path.resolve("model.safetensors.index.json");
        if (Files.exists(index)) {
            return sharded(index);
        }
        try (Stream<Path> files = Files.list(path)) {
            Optional<Path> pickle = files.filter(Safetensors::isPickle).sorted().findFirst();
            if (pickle.isPresent()) {
                throw pickle(pickle.get());
            }
        }
        throw new IllegalArgumentException(path + " has neither model.safetensors nor model.safetensors.index.json");
    }

    private static boolean isPickle(Path path) {
        String name = path.getFileName().toString().replaceFirst("\\.index\\.json$", "");
        return List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl").stream().anyMatch(name::endsWith);
    }

    private static IllegalArgumentException pickle(Path path) {
        return new IllegalArgumentException(path + " is a pickle, which can run code when read; Tidemill reads weights"
                + " from .safetensors files only (transformers and PEFT write them with save_pretrained)");
    }

    /** A file that is in memory. */
    static Reader open(String name, ByteSource file) throws IOException {
        return new Reader(List.of(Shard.open(name, file)));
    }

    private static Reader sharded(Path index) throws IOException {
        if (isPickle(index)) {
            throw pickle(index);
        }
        JsonNode map = json(index, Files.readString(index)).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new IllegalArgumentException(index + " has no weight_map");
        }
        Map<String, Shard> shards = new TreeMap<>();
        try {
            for (Map.Entry<String, JsonNode> entry : map.properties()) {
                String file = entry.getValue().asText();
                if (!Path.of(file).equals(Path.of(file).getFileName()) || !file.endsWith(".safetensors")) {
                    throw new IllegalArgumentException(index + ": shard " + file
                            + " must be the name of a .safetensors file in the same directory");
                }
                if (!shards.containsKey(file)) {
                    shards.put(file, Shard.open(index.resolveSibling(file)));
                }
                if (!shards.get(file).header.places().containsKey(entry.getKey())) {
                    throw new IllegalArgumentException(index + ": " + file + " has no tensor " + entry.getKey());
                }
            }
            return new Reader(List.copyOf(shards.values()));
        } catch (IOException | RuntimeException e) {
            for (Shard shard : shards.values()) {
                shard.close();
            }
            throw e;
        }
    }

    private static JsonNode json(Path path, String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(path + " has no valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** The tensors of one file or of all shards. */
    public static final class Reader implements Closeable {
        private final List<Shard> shards;
        private final SortedMap<String, Shard> byName = new TreeMap<>();

        private Reader(List<Shard> shards) {
            this.shards = shards;
            for (Shard shard : shards) {
                for (String name : shard.header.places().keySet()) {
                    Shard other = byName.put(name, shard);
                    if (other != null) {
                        throw new IllegalArgumentException(
                                "Tensor " + name + " is in " + other.header.name() + " and in " + shard.header.name());
                    }
                }
            }
        }

        /** What the files hold, by name. */
        public List<Entry> entries() {
            return byName.entrySet().stream()
                    .map(entry ->
                            entry.getValue().header.places().get(entry.getKey()).entry())
                    .toList();
        }

        /** The free text of the header, of all shards together. */
        public Map<String, String> metadata() {
            Map<String, String> all = new LinkedHashMap<>();
            shards.forEach(shard -> all.putAll(shard.header.metadata()));
            return all;
        }

        public Entry entry(String name) {
            Shard shard = byName.get(name);
            if (shard == null) {
                throw new IllegalArgumentException("Tensor " + name + " is not in "
                        + shards.stream().map(part -> part.header.name()).toList());
            }
            return shard.header.places().get(name).entry();
        }

        /** Reads a tensor chunk by chunk as float32. */
        public void read(String name, Chunk sink) throws IOException {
            Entry entry = entry(name);
            byName.get(name).read(entry, sink);
        }

        /** Reads a whole tensor of fewer than 2^31 elements as float32. */
        public float[] floats(String name) throws IOException {
            float[] all = new float[Math.toIntExact(entry(name).length())];
            read(name, (from, values, count) -> System.arraycopy(values, 0, all, (int) from, count));
            return all;
        }

        @Override
        public void close() throws IOException {
            for (Shard shard : shards) {
                shard.close();
            }
        }
    }

    /** One file. */
    private static final class Shard implements Closeable {
        final SafetensorsHeader header;
        private final ByteSource file;

        private Shard(SafetensorsHeader header, ByteSource file) {
            this.header = header;
            this.file = file;
        }

        static Shard open(Path path) throws IOException {
            if (isPickle(path)) {
                throw pickle(path);
            }
            return open(path.toString(), new MappedFile(path));
        }

        /** Closes {@code file} if it is not what it should be. */
        static Shard open(String name, ByteSource file) throws IOException {
            try {
                return new Shard(SafetensorsHeader.read(name, file), file);
            } catch (IOException | RuntimeException e) {
                file.close();
                throw e;
            }
        }

        void read(Entry entry, Chunk sink) throws IOException {
            SafetensorsHeader.Place place = header.places().get(entry.name());
            int width = header.elementBytes(entry);
            float[] values = new float[(int) Math.min(CHUNK, Math.max(1, entry.length()))];
            for (long from = 0; from < entry.length(); from += values.length) {
                int count = (int) Math.min(values.length, entry.length() - from);
                decode(entry, file.at(header.dataAt() + place.begin() + from * width, count * width), values, count);
                sink.accept(from, values, count);
            }
        }

        private void decode(Entry entry, ByteBuffer bytes, float[] values, int count) {
            switch (entry.type()) {
                case "F32" -> bytes.asFloatBuffer().get(values, 0, count);
                case "BF16" -> {
                    for (int i = 0; i < count; i++) {
                        values[i] = Float.intBitsToFloat(bytes.getShort() << 16);
                    }
                }
                case "F16" -> {
                    for (int i = 0; i < count; i++) {
                        values[i] = halfToFloat(bytes.getShort());
                    }
                }
                default ->
                    throw header.lie("has tensor " + entry.name() + " of type " + entry.type()
                            + ", but only F32, BF16 and F16 are read");
            }
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    /**
     * Writes a file aside, flushes it to the disk and renames it: whoever reads sees the old file or the new one.
     *
     * @param entries in the order in which they will lie in the file; types F32 or BF16
     */
    public static void write(Path path, Map<String, String> metadata, List<Entry> entries, Source source)
            throws IOException {
        float[] values = new float[CHUNK];
        ByteBuffer bytes = ByteBuffer.allocate(4 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        RawSource encoded = (entry, sink) -> {
            for (long from = 0; from < entry.length(); from += CHUNK) {
                int count = (int) Math.min(CHUNK, entry.length() - from);
                source.fill(entry, from, values, count);
                encode(entry, values, count, bytes.clear());
                sink.take(bytes.flip());
            }
        };
        write(path, metadata, entries, encoded, seen -> {});
    }

    /**
     * The same of elements that need no conversion.
     *
     * @return SHA-256 of the file in hexadecimal, made of what was written and not of what the disk has
     */
    static String writeRaw(Path path, Map<String, String> metadata, List<Entry> entries, RawSource source)
            throws IOException {
        MessageDigest digest = sha256();
        write(path, metadata, entries, source, bytes -> digest.update(bytes.duplicate()));
        return HexFormat.of().formatHex(digest.digest());
    }

    /** @param first sees all bytes just before they are written, and leaves their position */
    private static void write(
            Path path, Map<String, String> metadata, List<Entry> entries, RawSource source, Sink first)
            throws IOException {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode free = header.putObject("__metadata__");
            new TreeMap<>(metadata).forEach(free::put);
        }
        long at = 0;
        for (Entry entry : entries) {
            ObjectNode json = header.putObject(entry.name());
            json.put("dtype", entry.type());
            var shape = json.putArray("shape");
            for (long size : entry.shape()) {
                shape.add(size);
            }
            json.putArray("data_offsets").add(at).add(at += entry.length() * writtenBytes(entry));
        }
        ByteBuffer head = head(JSON.writeValueAsBytes(header));
        long length = head.remaining() + at;
        Path aside = path.resolveSibling(path.getFileName() + ".part");
        try {
            try (FileChannel channel = FileChannel.open(
                    aside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                Sink sink = bytes -> {
                    first.take(bytes);
                    while (bytes.hasRemaining()) {
                        channel.write(bytes);
                    }
                };
                sink.take(head);
                for (Entry entry : entries) {
                    source.give(entry, sink);
                }
                if (channel.position() != length) {
                    throw new IllegalStateException(
                            path + " was given " + channel.position() + " bytes, but its header says " + length);
                }
                channel.force(true);
            }
            Files.move(aside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(aside);
        }
    }

    private static ByteBuffer head(byte[] text) {
        int padded = (text.length + 7) / 8 * 8; // tensors begin at a multiple of eight, as the reference does
        ByteBuffer head = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        head.putLong(padded).put(text);
        while (head.hasRemaining()) {
            head.put((byte) ' ');
        }
        return head.flip();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("Every Java platform has SHA-256.", impossible);
        }
    }

    private static int writtenBytes(Entry entry) {
        for (WeightType type : WeightType.values()) {
            if (type.safetensorsName().equals(entry.type())) {
                return type.bytes();
            }
        }
        throw new IllegalArgumentException(
                "Tensor " + entry.name() + " cannot be written as " + entry.type() + ", only as F32 or BF16");
    }

    private static void encode(Entry entry, float[] values, int count, ByteBuffer into) {
        if (entry.type().equals(WeightType.FLOAT32.safetensorsName())) {
            for (int i = 0; i < count; i++) {
                into.putFloat(values[i]);
            }
        } else {
            for (int i = 0; i < count; i++) {
                into.putShort(floatToBfloat16(values[i]));
            }
        }
    }

    // ---- number types -----------------------------------------------------------------------------------------------

    /** Rounds to nearest, ties to even; not-a-number stays one. */
    static short floatToBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    /** IEEE 754 binary16. */
    static float halfToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = (half >>> 10) & 0x1F;
        int fraction = half & 0x3FF;
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f; // zero and subnormal
            return sign == 0 ? magnitude : -magnitude;
        }
        int shifted = exponent == 31 ? 255 : exponent + 112;
        return Float.intBitsToFloat(sign | shifted << 23 | fraction << 13);
    }
}
