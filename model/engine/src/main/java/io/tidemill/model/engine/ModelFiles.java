package io.tidemill.model.engine;

import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The weights of a layout on their way from and to Hugging Face directories. */
record ModelFiles(Layout layout, FlatWeights weights) {
    static final String WEIGHTS = "model.safetensors";

    /** What the files call each tensor of the layout; all are there, none is too many, and the shapes are right. */
    static Map<String, String> check(Path directory, Layout layout, StoredNames names, Safetensors.Reader reader) {
        TreeMap<String, String> found = names.ours(
                reader.entries().stream().map(Safetensors.Entry::name).toList());
        TreeMap<String, String> stored = new TreeMap<>();
        for (Layout.Slot slot : layout.slots()) {
            String name = found.remove(slot.name());
            if (name == null) {
                throw new IllegalArgumentException(directory + ": tensor " + slot.name() + " is missing");
            }
            long[] shape = reader.entry(name).shape();
            if (!Arrays.equals(shape, slot.shape())) {
                throw new IllegalArgumentException(directory + ": tensor " + slot.name() + " must have shape "
                        + new Shape(slot.shape()) + " by " + names.configFile() + ", but has " + new Shape(shape));
            }
            stored.put(slot.name(), name);
        }
        found.keySet().removeIf(names.isLeftover());
        if (!found.isEmpty()) {
            throw new IllegalArgumentException(
                    directory + ": tensors " + found.keySet() + " have no place by " + names.configFile());
        }
        return stored;
    }

    static void read(Layout layout, Map<String, String> stored, Safetensors.Reader reader, FlatWeights into)
            throws IOException {
        for (Layout.Slot slot : layout.slots()) {
            reader.read(stored.get(slot.name()), (from, values, count) -> into.write(slot.at() + from, values, count));
        }
    }

    static void randomise(Layout.Slot slot, FlatWeights weights, GaussianSource gaussian, double deviation) {
        float[] values = new float[(int) Math.min(FlatWeights.SLICE, slot.length())];
        for (long from = 0; from < slot.length(); from += values.length) {
            int count = (int) Math.min(values.length, slot.length() - from);
            for (int i = 0; i < count; i++) {
                values[i] = Float.isNaN(slot.initial()) ? (float) (gaussian.next() * deviation) : slot.initial();
            }
            weights.write(slot.at() + from, values, count);
        }
    }

    /** Writes the texts and the file of weights, all flushed. */
    void write(Path directory, String file, WeightType type, Map<String, String> texts) {
        try {
            Files.createDirectories(directory);
            for (Map.Entry<String, String> text : texts.entrySet()) {
                text(directory.resolve(text.getKey()), text.getValue());
            }
            List<Safetensors.Entry> entries = layout.slots().stream()
                    .map(slot -> new Safetensors.Entry(slot.name(), type.safetensorsName(), slot.shape()))
                    .toList();
            Safetensors.write(
                    directory.resolve(file),
                    Map.of("format", "pt"),
                    entries,
                    (entry, from, values, count) ->
                            weights.read(layout.slot(entry.name()).at() + from, values, count));
            flushDirectory(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write the model to " + directory + ": " + e.getMessage(), e);
        }
    }

    private static void text(Path path, String content) throws IOException {
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    static void flushDirectory(Path directory) throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    /** SHA-256 over all weights in the order of their names, as little-endian float32; lower-case hex. */
    String digest() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            ByteBuffer bytes = ByteBuffer.allocate(4 * FlatWeights.SLICE).order(ByteOrder.LITTLE_ENDIAN);
            for (Layout.Slot slot : layout.slots()) {
                weights.read(slot.at(), slot.length(), (from, values, count) -> {
                    bytes.clear().asFloatBuffer().put(values, 0, count);
                    sha.update(bytes.limit(4 * count));
                });
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException | IOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** One tensor by its Hugging Face name, row by row. */
    float[] tensor(String name) {
        Layout.Slot slot = layout.slot(name);
        float[] all = new float[Math.toIntExact(slot.length())];
        try {
            weights.read(
                    slot.at(),
                    slot.length(),
                    (from, values, count) -> System.arraycopy(values, 0, all, (int) from, count));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return all;
    }
}
