package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The weights of one version, float32, in native memory. Immutable: serving and scoring read it, training copies it.
 * Any number of threads may read at once; whoever made it closes it after the last of them.
 *
 * <p>Native memory: 4 bytes per weight, and 2 more where the matrix products are bfloat16.
 */
public final class LanguageModel implements AutoCloseable {
    /** Tokens that one scoring call holds at most, padding included, unless one sequence alone is longer. */
    private static final int SCORED_AT_ONCE = 4096;

    private final ModelConfig config;
    private final ComputeType computeType;
    private final Layout layout;
    private final TorchProgram program;
    private final PtNDManager manager;
    private final FlatWeights master;
    private final TorchProgram.Opaque compute;

    /** Takes ownership of {@code manager}, in which {@code master} lives. */
    private LanguageModel(
            ModelConfig config, Layout layout, ComputeType computeType, PtNDManager manager, NDArray master) {
        this.config = config;
        this.computeType = computeType;
        this.layout = layout;
        this.program = Layout.program(config);
        this.manager = manager;
        this.master = new FlatWeights(program, master);
        this.compute = this.master.operands(manager, computeType);
    }

    /** Fills fresh native memory, and frees it again if that fails. */
    private interface Filler {
        void fill(FlatWeights weights, Layout layout) throws IOException;
    }

    private static LanguageModel make(ModelConfig config, ComputeType computeType, Filler filler) throws IOException {
        Layout layout = new Layout(config);
        PtNDManager manager = TorchProgram.open();
        try {
            NDArray flat = FlatWeights.zeros(manager, layout.length());
            filler.fill(new FlatWeights(Layout.program(config), flat), layout);
            return new LanguageModel(config, layout, computeType, manager, flat);
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    // ---- where models come from -------------------------------------------------------------------------------------

    /** Reads {@code config.json} and {@code model.safetensors} (or its shards). */
    public static LanguageModel load(Path huggingFaceDirectory, ComputeType compute) {
        try {
            ModelConfig config = ModelConfig.read(huggingFaceDirectory.resolve("config.json"));
            try (Safetensors.Reader reader = Safetensors.open(huggingFaceDirectory)) {
                Map<String, String> stored = storedNames(huggingFaceDirectory, config, reader);
                return make(config, compute, (weights, layout) -> {
                    for (Layout.Slot slot : layout.slots()) {
                        reader.read(
                                stored.get(slot.name()),
                                (from, values, count) -> weights.write(slot.at() + from, values, count));
                    }
                });
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot read the model in " + huggingFaceDirectory + ": " + e.getMessage(), e);
        }
    }

    /** What the files call each tensor, all of them checked. */
    private static Map<String, String> storedNames(Path directory, ModelConfig config, Safetensors.Reader reader) {
        Map<String, Safetensors.Entry> found = new TreeMap<>();
        reader.entries().forEach(entry -> found.put(entry.name(), entry));
        String prefix = config.family().tensorPrefix();
        boolean bare = found.keySet().stream().noneMatch(name -> name.startsWith(prefix));
        Map<String, String> stored = new TreeMap<>();
        for (Layout.Slot slot : new Layout(config).slots()) {
            String name = bare && slot.name().startsWith(prefix) ? slot.name().substring(prefix.length()) : slot.name();
            Safetensors.Entry entry = found.remove(name);
            if (entry == null) {
                throw new IllegalArgumentException(directory + ": tensor " + slot.name() + " is missing");
            }
            if (!Arrays.equals(entry.shape(), slot.shape())) {
                throw new IllegalArgumentException(directory + ": tensor " + slot.name() + " must have shape "
                        + new Shape(slot.shape()) + " by config.json, but has " + new Shape(entry.shape()));
            }
            stored.put(slot.name(), name);
        }
        found.keySet().removeIf(config.family()::isLeftover);
        if (config.tiedEmbeddings()) {
            found.remove("lm_head.weight");
        }
        if (!found.isEmpty()) {
            throw new IllegalArgumentException(
                    directory + ": tensors " + found.keySet() + " have no place in a decoder of this config.json");
        }
        return stored;
    }

    /** Normal with standard deviation {@code initializerRange}, norms 1, biases 0; the seed alone decides, on any machine. */
    public static LanguageModel random(ModelConfig config, long seed, ComputeType compute) {
        GaussianSource gaussian = new GaussianSource(seed);
        try {
            return make(config, compute, (weights, layout) -> {
                for (Layout.Slot slot : layout.slots()) {
                    float[] values = new float[(int) Math.min(FlatWeights.SLICE, slot.length())];
                    for (long from = 0; from < slot.length(); from += values.length) {
                        int count = (int) Math.min(values.length, slot.length() - from);
                        for (int i = 0; i < count; i++) {
                            values[i] = Float.isNaN(slot.initial())
                                    ? (float) (gaussian.next() * config.initializerRange())
                                    : slot.initial();
                        }
                        weights.write(slot.at() + from, values, count);
                    }
                }
            });
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** A copy of flat weights that live elsewhere. */
    static LanguageModel copyOf(ModelConfig config, FlatWeights source, ComputeType compute) {
        try {
            return make(config, compute, (weights, layout) -> weights.copyFrom(source));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    public LanguageModel copy() {
        return copyOf(config, master, computeType);
    }

    public ModelConfig config() {
        return config;
    }

    public ComputeType computeType() {
        return computeType;
    }

    // ---- where they go ----------------------------------------------------------------------------------------------

    /** Writes {@code config.json}, {@code generation_config.json} and {@code model.safetensors}, all flushed. */
    public void save(Path directory, WeightType type) {
        try {
            Files.createDirectories(directory);
            text(directory.resolve("config.json"), config.toJson(type));
            text(directory.resolve("generation_config.json"), config.generationJson());
            List<Safetensors.Entry> entries = layout.slots().stream()
                    .map(slot -> new Safetensors.Entry(slot.name(), type.safetensorsName(), slot.shape()))
                    .toList();
            Safetensors.write(
                    directory.resolve("model.safetensors"),
                    Map.of("format", "pt"),
                    entries,
                    (entry, from, values, count) ->
                            master.read(layout.slot(entry.name()).at() + from, values, count));
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

    private static void flushDirectory(Path directory) throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    /** SHA-256 over all weights in the order of their names, as little-endian float32; lower-case hex. */
    public String digest() {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            ByteBuffer bytes = ByteBuffer.allocate(4 * FlatWeights.SLICE).order(ByteOrder.LITTLE_ENDIAN);
            for (Layout.Slot slot : layout.slots()) {
                master.read(slot.at(), slot.length(), (from, values, count) -> {
                    bytes.clear().asFloatBuffer().put(values, 0, count);
                    sha.update(bytes.limit(4 * count));
                });
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException | IOException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** One tensor by its Hugging Face name, float32, row by row. */
    public float[] weights(String name) {
        Layout.Slot slot = layout.slot(name);
        float[] all = new float[Math.toIntExact(slot.length())];
        try {
            master.read(
                    slot.at(),
                    slot.length(),
                    (from, values, count) -> System.arraycopy(values, 0, all, (int) from, count));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return all;
    }

    // ---- what they say ----------------------------------------------------------------------------------------------

    /** What the model expects after each token: {@code [T][V]}. */
    public float[][] logits(int[] sequence) {
        Batches.check(config, sequence);
        try (PtNDManager step = TorchProgram.open()) {
            int[][] positions = {IntStream.range(0, sequence.length).toArray()};
            NDArray logits = program.infer(
                            step,
                            "logits",
                            master.array(),
                            compute,
                            Batches.tensor(step, new int[][] {sequence}),
                            Batches.tensor(step, positions))
                    .get(0);
            float[] flat = logits.toFloatArray();
            int vocabulary = config.vocabularySize();
            return IntStream.range(0, sequence.length)
                    .mapToObj(t -> Arrays.copyOfRange(flat, t * vocabulary, (t + 1) * vocabulary))
                    .toArray(float[][]::new);
        }
    }

    /**
     * For each sequence of n tokens n − 1 values: log p(token i + 1 | tokens up to i), in nats. Sequences of similar
     * length share a call; memory stays bounded however many there are.
     *
     * @throws IllegalArgumentException if a sequence is empty, longer than {@code maxPositions}, or has an unknown id
     */
    public List<float[]> logProbabilities(List<int[]> sequences) {
        sequences.forEach(sequence -> Batches.check(config, sequence));
        List<float[]> results = new ArrayList<>(Collections.nCopies(sequences.size(), new float[0]));
        int[] order = IntStream.range(0, sequences.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -sequences.get(i).length))
                .mapToInt(Integer::intValue)
                .filter(i -> sequences.get(i).length > 1)
                .toArray();
        for (int at = 0; at < order.length; ) {
            int length = sequences.get(order[at]).length - 1;
            int rows = Math.min(order.length - at, Math.max(1, SCORED_AT_ONCE / length));
            score(sequences, Arrays.copyOfRange(order, at, at + rows), length, results);
            at += rows;
        }
        return results;
    }

    /** Rows padded behind to {@code length}: causal attention never sees what comes later. */
    private void score(List<int[]> sequences, int[] chosen, int length, List<float[]> results) {
        int[][] ids = new int[chosen.length][length];
        int[][] targets = new int[chosen.length][length];
        int[][] positions = new int[chosen.length][length];
        for (int row = 0; row < chosen.length; row++) {
            int[] sequence = sequences.get(chosen[row]);
            Arrays.fill(targets[row], PackedBatch.IGNORED);
            for (int t = 0; t + 1 < sequence.length; t++) {
                ids[row][t] = sequence[t];
                targets[row][t] = sequence[t + 1];
                positions[row][t] = t;
            }
        }
        try (PtNDManager step = TorchProgram.open()) {
            float[] flat = program.infer(
                            step,
                            "log_probabilities",
                            master.array(),
                            compute,
                            Batches.tensor(step, ids),
                            Batches.tensor(step, positions),
                            Batches.none(step),
                            Batches.tensor(step, targets))
                    .get(0)
                    .toFloatArray();
            int at = 0;
            for (int index : chosen) {
                int count = sequences.get(index).length - 1;
                results.set(index, Arrays.copyOfRange(flat, at, at + count));
                at += count;
            }
        }
    }

    // ---- for the package --------------------------------------------------------------------------------------------

    TorchProgram program() {
        return program;
    }

    FlatWeights master() {
        return master;
    }

    TorchProgram.Opaque compute() {
        return compute;
    }

    /** Frees the native memory. Reading afterwards is an error. */
    @Override
    public void close() {
        manager.close();
    }
}
