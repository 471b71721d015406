package io.tidemill.model.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The safetensors format: eight bytes of header length, a JSON header, then the tensors without gaps, little-endian.
 *
 * <p>Source: github.com/huggingface/safetensors, "Format". Read are F32, BF16 and F16, all as float32; written are F32
 * and BF16 (rounded to nearest, ties to even). A header that lies about sizes, leaves gaps or overlaps is refused
 * before any tensor is read.
 */
public final class Safetensors {
    private static final long LARGEST_HEADER_BYTES = 100_000_000;
    private static final int CHUNK = 1 << 20; // elements converted at once
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
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

    // ---- reading ----------------------------------------------------------------------------------------------------

    /** Opens a file, a {@code *.index.json} with its shards, or the weights of a Hugging Face directory. */
    public static Reader open(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return path.toString().endsWith(".json") ? sharded(path) : new Reader(List.of(Shard.open(path)));
        }
        Path single = path.resolve("model.safetensors");
        if (Files.exists(single)) {
            return new Reader(List.of(Shard.open(single)));
        }
        Path index = path.resolve("model.safetensors.index.json");
        if (Files.exists(index)) {
            return sharded(index);
        }
        for (String pickle : List.of("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt")) {
            if (Files.exists(path.resolve(pickle))) {
                throw new IllegalArgumentException(path.resolve(pickle) + " is a pickle, which can run code when read;"
                        + " Tidemill reads weights from model.safetensors only (transformers writes it with"
                        + " save_pretrained)");
            }
        }
        throw new IllegalArgumentException(path + " has neither model.safetensors nor model.safetensors.index.json");
    }

    private static Reader sharded(Path index) throws IOException {
        JsonNode map = json(index, Files.readString(index)).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new IllegalArgumentException(index + " has no weight_map");
        }
        Map<String, Shard> shards = new TreeMap<>();
        try {
            for (Map.Entry<String, JsonNode> entry : map.properties()) {
                String file = entry.getValue().asText();
                if (!Path.of(file).equals(Path.of(file).getFileName())) {
                    throw new IllegalArgumentException(
                            index + ": shard " + file + " must be a file name in the same directory");
                }
                if (!shards.containsKey(file)) {
                    shards.put(file, Shard.open(index.resolveSibling(file)));
                }
                if (!shards.get(file).places.containsKey(entry.getKey())) {
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
                for (String name : shard.places.keySet()) {
                    Shard other = byName.put(name, shard);
                    if (other != null) {
                        throw new IllegalArgumentException(
                                "Tensor " + name + " is in " + other.path + " and in " + shard.path);
                    }
                }
            }
        }

        /** What the files hold, by name. */
        public List<Entry> entries() {
            return byName.entrySet().stream()
                    .map(entry -> entry.getValue().places.get(entry.getKey()).entry())
                    .toList();
        }

        /** The free text of the header, of all shards together. */
        public Map<String, String> metadata() {
            Map<String, String> all = new LinkedHashMap<>();
            shards.forEach(shard -> all.putAll(shard.metadata));
            return all;
        }

        public Entry entry(String name) {
            Shard shard = byName.get(name);
            if (shard == null) {
                throw new IllegalArgumentException("Tensor " + name + " is not in "
                        + shards.stream().map(part -> part.path.toString()).toList());
            }
            return shard.places.get(name).entry();
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

    private record Place(Entry entry, long begin, long end) {}

    private static final class Shard implements Closeable {
        final Path path;
        final FileChannel channel;
        final Map<String, Place> places = new LinkedHashMap<>();
        final Map<String, String> metadata = new LinkedHashMap<>();
        private long dataAt;

        private Shard(Path path, FileChannel channel) {
            this.path = path;
            this.channel = channel;
        }

        static Shard open(Path path) throws IOException {
            Shard shard = new Shard(path, FileChannel.open(path, StandardOpenOption.READ));
            try {
                shard.readHeader();
                return shard;
            } catch (IOException | RuntimeException e) {
                shard.close();
                throw e;
            }
        }

        private void readHeader() throws IOException {
            long size = channel.size();
            if (size < 8) {
                throw lie("has " + size + " bytes, fewer than the 8 of a header's length");
            }
            long header = bytes(0, 8).getLong();
            if (header < 2 || header > LARGEST_HEADER_BYTES || header > size - 8) {
                throw lie("claims a header of " + Long.toUnsignedString(header) + " bytes, but has " + size);
            }
            dataAt = 8 + header;
            String text = StandardCharsets.UTF_8.decode(bytes(8, (int) header)).toString();
            JsonNode json = json(path, text);
            if (!json.isObject()) {
                throw lie("has a header that is not a JSON object");
            }
            for (Map.Entry<String, JsonNode> field : json.properties()) {
                if (field.getKey().equals("__metadata__")) {
                    field.getValue()
                            .properties()
                            .forEach(e -> metadata.put(e.getKey(), e.getValue().asText()));
                } else {
                    places.put(field.getKey(), place(field.getKey(), field.getValue()));
                }
            }
            checkNoGapNoOverlap(size);
        }

        private Place place(String name, JsonNode json) {
            JsonNode shape = json.path("shape");
            JsonNode offsets = json.path("data_offsets");
            if (!json.path("dtype").isTextual() || !shape.isArray() || !offsets.isArray() || offsets.size() != 2) {
                throw lie("describes tensor " + name + " without dtype, shape or data_offsets: " + json);
            }
            long[] sizes = new long[shape.size()];
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = natural(name, shape.get(i));
            }
            Entry entry = new Entry(name, json.get("dtype").asText(), sizes);
            long begin = natural(name, offsets.get(0));
            long end = natural(name, offsets.get(1));
            long bytes;
            try {
                bytes = Math.multiplyExact(entry.length(), elementBytes(entry));
            } catch (ArithmeticException overflow) {
                throw lie("gives tensor " + name + " the impossible shape " + shape);
            }
            if (end < begin || end - begin != bytes) {
                throw lie("gives tensor " + name + " " + entry.type() + " " + shape + " of " + bytes
                        + " bytes the place " + begin + " to " + end);
            }
            return new Place(entry, begin, end);
        }

        private long natural(String name, JsonNode number) {
            if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
                throw lie("describes tensor " + name + " with " + number + " where a natural number belongs");
            }
            return number.longValue();
        }

        private long elementBytes(Entry entry) {
            return switch (entry.type()) {
                case "F64", "I64", "U64" -> 8;
                case "F32", "I32", "U32" -> 4;
                case "F16", "BF16", "I16", "U16" -> 2;
                case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2" -> 1;
                default -> throw lie("has tensor " + entry.name() + " of the unknown type " + entry.type());
            };
        }

        private void checkNoGapNoOverlap(long size) {
            List<Place> ordered = new ArrayList<>(places.values());
            ordered.sort(Comparator.comparingLong(Place::begin).thenComparingLong(Place::end));
            long expected = 0;
            for (Place place : ordered) {
                if (place.begin() != expected) {
                    throw lie((place.begin() < expected ? "overlaps" : "leaves a gap") + " at tensor "
                            + place.entry().name() + ": it begins at " + place.begin()
                            + ", the tensor before it ends at " + expected);
                }
                expected = place.end();
            }
            if (dataAt + expected != size) {
                throw lie("has " + size + " bytes, but its header describes " + (dataAt + expected)
                        + "; it was cut short or is damaged");
            }
        }

        void read(Entry entry, Chunk sink) throws IOException {
            Place place = places.get(entry.name());
            int width = (int) elementBytes(entry);
            float[] values = new float[(int) Math.min(CHUNK, Math.max(1, entry.length()))];
            for (long from = 0; from < entry.length(); from += values.length) {
                int count = (int) Math.min(values.length, entry.length() - from);
                ByteBuffer bytes = bytes(dataAt + place.begin() + from * width, count * width);
                decode(entry, bytes, values, count);
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
                    throw new IllegalArgumentException(path + ": tensor " + entry.name() + " has type " + entry.type()
                            + ", but only F32, BF16 and F16 are read");
            }
        }

        private ByteBuffer bytes(long at, int count) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, at + buffer.position()) < 0) {
                    throw new EOFException(path + " ended at byte " + (at + buffer.position()) + " while it was read");
                }
            }
            return buffer.flip();
        }

        private IllegalArgumentException lie(String what) {
            return new IllegalArgumentException(path + " " + what);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    /**
     * Writes a file and flushes it to the disk. It is not written aside: a reader may see it half-done.
     *
     * @param entries in the order in which they will lie in the file; types F32 or BF16
     */
    public static void write(Path path, Map<String, String> metadata, List<Entry> entries, Source source)
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
        byte[] text = JSON.writeValueAsBytes(header);
        int padded = (text.length + 7) / 8 * 8; // tensors begin at a multiple of eight, as the reference does
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer head = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
            head.putLong(padded).put(text);
            while (head.hasRemaining()) {
                head.put((byte) ' ');
            }
            drain(head.flip(), channel);
            float[] values = new float[CHUNK];
            ByteBuffer bytes = ByteBuffer.allocate(4 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
            for (Entry entry : entries) {
                for (long from = 0; from < entry.length(); from += CHUNK) {
                    int count = (int) Math.min(CHUNK, entry.length() - from);
                    source.fill(entry, from, values, count);
                    encode(entry, values, count, bytes.clear());
                    drain(bytes.flip(), channel);
                }
            }
            channel.force(true);
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

    private static void drain(ByteBuffer buffer, FileChannel channel) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
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
