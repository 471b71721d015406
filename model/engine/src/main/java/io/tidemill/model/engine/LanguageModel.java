package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
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
    private final HeldWeights held;

    private LanguageModel(ModelConfig config, HeldWeights held) {
        this.config = config;
        this.held = held;
    }

    // ---- where models come from -------------------------------------------------------------------------------------

    /** Reads {@code config.json} and {@code model.safetensors} (or its shards). */
    public static LanguageModel load(Path huggingFaceDirectory, ComputeType compute) {
        try {
            ModelConfig config = ModelConfig.read(huggingFaceDirectory.resolve("config.json"));
            return new LanguageModel(
                    config,
                    HeldWeights.load(
                            huggingFaceDirectory,
                            StoredNames.of(config),
                            new Layout(config),
                            Layout.program(config),
                            compute));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot read the model in " + huggingFaceDirectory + ": " + e.getMessage(), e);
        }
    }

    /**
     * Normal with standard deviation {@code initializerRange}, norms 1, biases 0; the seed alone decides, on any
     * machine.
     */
    public static LanguageModel random(ModelConfig config, long seed, ComputeType compute) {
        return new LanguageModel(
                config,
                HeldWeights.random(
                        new Layout(config), Layout.program(config), compute, seed, config.initializerRange()));
    }

    /** A copy of flat weights that live elsewhere. */
    static LanguageModel copyOf(ModelConfig config, FlatWeights source, ComputeType compute) {
        return new LanguageModel(
                config, HeldWeights.copyOf(new Layout(config), Layout.program(config), compute, source));
    }

    public LanguageModel copy() {
        return copyOf(config, held.master(), held.type());
    }

    public ModelConfig config() {
        return config;
    }

    public ComputeType computeType() {
        return held.type();
    }

    // ---- where they go ----------------------------------------------------------------------------------------------

    /** Writes {@code config.json}, {@code generation_config.json} and {@code model.safetensors}, all flushed. */
    public void save(Path directory, WeightType type) {
        held.files()
                .write(
                        directory,
                        type,
                        Map.of("config.json", config.toJson(type), "generation_config.json", config.generationJson()));
    }

    /** SHA-256 over all weights in the order of their names, as little-endian float32; lower-case hex. */
    public String digest() {
        return held.files().digest();
    }

    /** One tensor by its Hugging Face name, float32, row by row. */
    public float[] weights(String name) {
        return held.files().tensor(name);
    }

    // ---- what they say ----------------------------------------------------------------------------------------------

    /** What the model expects after each token: {@code [T][V]}. */
    public float[][] logits(int[] sequence) {
        Batches.check(config, sequence);
        try (PtNDManager step = TorchProgram.open()) {
            int[][] positions = {IntStream.range(0, sequence.length).toArray()};
            NDArray logits = held.program()
                    .infer(
                            step,
                            "logits",
                            held.master().array(),
                            held.compute(),
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
            float[] flat = held.program()
                    .infer(
                            step,
                            "log_probabilities",
                            held.master().array(),
                            held.compute(),
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

    HeldWeights held() {
        return held;
    }

    TorchProgram program() {
        return held.program();
    }

    FlatWeights master() {
        return held.master();
    }

    TorchProgram.Opaque compute() {
        return held.compute();
    }

    /** Frees the native memory. Reading afterwards is an error. */
    @Override
    public void close() {
        held.close();
    }
}
