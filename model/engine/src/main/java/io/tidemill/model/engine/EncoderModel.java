package io.tidemill.model.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A BERT encoder: the weights of one version, float32, in native memory. Immutable: {@link TrainableEncoder} copies it.
 * Any number of threads may read at once; whoever made it closes it after the last of them.
 *
 * <p>Native memory: 4 bytes per weight, and 2 more where the matrix products are bfloat16.
 */
public final class EncoderModel implements Model<EncoderModel> {
    private final EncoderConfig config;
    private final HeldWeights held;

    private EncoderModel(EncoderConfig config, HeldWeights held) {
        this.config = config;
        this.held = held;
    }

    // ---- where models come from -------------------------------------------------------------------------------------

    /**
     * Reads {@code config.json} and {@code model.safetensors} (or its shards); the architecture decides the head, and the
     * tensors whether a {@code BertModel} has a pooler.
     */
    public static EncoderModel load(Path huggingFaceDirectory, ComputeType compute) {
        try {
            EncoderConfig config = config(huggingFaceDirectory);
            return new EncoderModel(
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

    private static EncoderConfig config(Path directory) throws IOException {
        EncoderConfig config = EncoderConfig.read(directory.resolve("config.json"));
        if (config.head() != EncoderConfig.Head.NONE) {
            return config;
        }
        try (Safetensors.Reader reader = Safetensors.open(directory)) {
            boolean pooler =
                    StoredNames.of(config)
                            .ours(reader.entries().stream()
                                    .map(Safetensors.Entry::name)
                                    .toList())
                            .keySet()
                            .stream()
                            .anyMatch(name -> name.startsWith("bert.pooler."));
            return pooler ? config : config.withoutPooler();
        }
    }

    /** Normal with standard deviation {@code initializerRange}, norms 1, biases 0; the seed alone decides. */
    public static EncoderModel random(EncoderConfig config, long seed, ComputeType compute) {
        return new EncoderModel(
                config,
                HeldWeights.random(
                        new Layout(config), Layout.program(config), compute, seed, config.initializerRange()));
    }

    /** Takes what was made elsewhere. */
    static EncoderModel owning(EncoderConfig config, HeldWeights held) {
        return new EncoderModel(config, held);
    }

    static EncoderModel copyOf(EncoderConfig config, FlatWeights source, ComputeType compute) {
        return new EncoderModel(
                config, HeldWeights.copyOf(new Layout(config), Layout.program(config), compute, source));
    }

    /**
     * This body under a fresh classifier; the pooler is this one's, or fresh where it has none.
     *
     * @param seed decides the fresh weights
     */
    public EncoderModel withLabels(List<String> labels, long seed) {
        return with(config.withLabels(labels), seed);
    }

    /** As {@link #withLabels(List, long)}, where the labels are something else than what is usual for their number. */
    public EncoderModel withLabels(List<String> labels, EncoderConfig.Problem problem, long seed) {
        return with(config.withLabels(labels, problem), seed);
    }

    private EncoderModel with(EncoderConfig wanted, long seed) {
        Layout layout = new Layout(wanted);
        GaussianSource gaussian = new GaussianSource(seed);
        try {
            HeldWeights made = HeldWeights.make(layout, Layout.program(wanted), held.type(), weights -> {
                for (Layout.Slot slot : layout.slots()) {
                    if (slot.name().startsWith("bert.") && held.layout().has(slot.name())) {
                        held.master()
                                .read(
                                        held.layout().slot(slot.name()).at(),
                                        slot.length(),
                                        (from, values, count) -> weights.write(slot.at() + from, values, count));
                    } else {
                        ModelFiles.randomise(slot, weights, gaussian, wanted.initializerRange());
                    }
                }
            });
            return new EncoderModel(wanted, made);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    @Override
    public EncoderModel copy() {
        return copyOf(config, held.master(), held.type());
    }

    public EncoderConfig config() {
        return config;
    }

    @Override
    public long parameterCount() {
        return config.parameterCount();
    }

    @Override
    public int maxPositions() {
        return config.maxPositions();
    }

    @Override
    public ComputeType computeType() {
        return held.type();
    }

    // ---- where they go ----------------------------------------------------------------------------------------------

    /** Writes {@code config.json} and {@code model.safetensors}, flushed. */
    @Override
    public void save(Path directory, WeightType type) {
        held.files().write(directory, ModelFiles.WEIGHTS, type, Map.of("config.json", config.toJson(type)));
    }

    @Override
    public String digest() {
        return held.files().digest();
    }

    /** One tensor by its Hugging Face name, float32, row by row. */
    public float[] weights(String name) {
        return held.files().tensor(name);
    }

    // ---- what they say ----------------------------------------------------------------------------------------------

    /** The last hidden state of each token: per input {@code [T][h]}. */
    public List<float[][]> hidden(List<EncoderInput> inputs) {
        return reader().hidden(inputs);
    }

    /**
     * What the model expects at some places of a text.
     *
     * @param places of tokens, from 0
     * @return one row per place, {@code [places][V]}
     * @throws IllegalStateException if this model has another head
     */
    public float[][] maskedLogits(EncoderInput input, int... places) {
        return reader().maskedLogits(input, places);
    }

    /**
     * One logit per label: {@code [inputs][labels]}.
     *
     * @throws IllegalStateException if this model has another head
     */
    public float[][] labelLogits(List<EncoderInput> inputs) {
        return reader().labelLogits(inputs);
    }

    /**
     * Sum of −log p over each text's masked tokens: {@code [texts]}; nats.
     *
     * @throws IllegalStateException if this model has another head
     */
    public double[] maskedLosses(List<MaskedText> texts) {
        return reader().maskedLosses(texts);
    }

    @Override
    public float[] lastLogits(int[] ids) {
        EncoderInput input = EncoderInput.of(ids);
        return switch (config.head()) {
            case LABELS -> labelLogits(List.of(input))[0];
            case MASKED -> maskedLogits(input, ids.length - 1)[0];
            case NONE, BARE -> hidden(List.of(input)).get(0)[ids.length - 1];
        };
    }

    private EncoderReader reader() {
        return EncoderReader.of(config, held);
    }

    HeldWeights held() {
        return held;
    }

    /** Frees the native memory. Reading afterwards is an error. */
    @Override
    public void close() {
        held.close();
    }
}
