package io.tidemill.model.engine;

import ai.djl.pytorch.engine.PtNDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A low-rank adapter of an encoder, float32, in native memory: what {@link LoraConfig} adds to its linear layers, and on a
 * model with labels a classifier that takes the place of the model's own (PEFT's {@code modules_to_save}). Immutable, like
 * the {@link EncoderModel} it is put on, which it never changes and does not own. Any number of threads may read at once;
 * whoever made it closes it after the last of them.
 *
 * <p>The pooler is not learnt in full: it stays the base's, with a low-rank part where "dense" or all layers are
 * targets. PEFT's own "all-linear" names it too.
 *
 * <p>Native memory: 4 bytes per weight of the adapter.
 */
public final class EncoderAdapter implements Adapter<EncoderModel> {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final int PROBED_TOKENS = 32;

    private final LoraConfig config;
    private final EncoderConfig base;
    private final HeldWeights held;

    private EncoderAdapter(LoraConfig config, EncoderConfig base, HeldWeights held) {
        this.config = config;
        this.base = base;
        this.held = held;
    }

    // ---- where adapters come from -----------------------------------------------------------------------------------

    /** Reads {@code adapter_config.json} and {@code adapter_model.safetensors} of an adapter on models of this shape. */
    public static EncoderAdapter load(Path directory, EncoderConfig base) {
        try {
            LoraConfig config = LoraConfigFile.readOfEncoder(directory.resolve(CONFIG));
            List<LoraModule> modules = modules(directory, config, base);
            Path pickle = directory.resolve("adapter_model.bin");
            Path weights = directory.resolve(WEIGHTS);
            return new EncoderAdapter(
                    config,
                    base,
                    HeldWeights.load(
                            directory,
                            !Files.exists(weights) && Files.exists(pickle) ? pickle : weights,
                            StoredNames.ofAdapter(),
                            new Layout(base, modules),
                            Layout.program(base, modules),
                            ComputeType.FLOAT32));
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read the adapter in " + directory + ": " + e.getMessage(), e);
        }
    }

    private static List<LoraModule> modules(Path directory, LoraConfig config, EncoderConfig base) {
        try {
            return config.modules(base);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(directory.resolve(CONFIG) + ": " + e.getMessage(), e);
        }
    }

    /**
     * One that changes nothing yet, as PEFT begins: B is zero, A uniform in ±1/√inputs, the classifier a copy of the
     * base's. The seed alone decides, on any machine.
     */
    public static EncoderAdapter initial(LoraConfig config, EncoderModel base, long seed) {
        List<LoraModule> modules = config.modules(base.config());
        Layout layout = new Layout(base.config(), modules);
        GaussianSource random = new GaussianSource(seed);
        return new EncoderAdapter(
                config,
                base.config(),
                HeldWeights.made(layout, Layout.program(base.config(), modules), ComputeType.FLOAT32, weights -> {
                    for (LoraModule module : modules) {
                        if (module.rank() > 0) {
                            LoraAdapter.randomise(layout.slot(module.tensor("A")), weights, random);
                        }
                    }
                    for (String name : heads(base.config())) {
                        float[] values = base.weights(name);
                        weights.write(layout.slot(LoraModule.PREFIX + name).at(), values, values.length);
                    }
                }));
    }

    /** What the adapter has of its own in the place of the base's. */
    private static List<String> heads(EncoderConfig base) {
        return base.head() == EncoderConfig.Head.LABELS ? List.of("classifier.weight", "classifier.bias") : List.of();
    }

    /** Takes what a training has made. */
    static EncoderAdapter owning(LoraConfig config, EncoderConfig base, HeldWeights held) {
        return new EncoderAdapter(config, base, held);
    }

    public LoraConfig config() {
        return config;
    }

    /** Shape of the models it can be put on. */
    public EncoderConfig base() {
        return base;
    }

    /** Number of weights, the classifier's too. */
    public long parameterCount() {
        return held.layout().length();
    }

    // ---- where they go ----------------------------------------------------------------------------------------------

    /**
     * Publishes the adapter: writes a directory that PEFT loads, reads it back, compares what both say on {@code base} in
     * float32, and only then gives the directory its name. All is flushed.
     *
     * @param directory does not exist yet
     * @param base      the model that the adapter was trained on
     * @throws IllegalStateException if what was read back does not say what is in memory; nothing is left behind
     */
    @Override
    public void save(Path directory, EncoderModel base) {
        save(directory, base, written -> {});
    }

    /** @param written what is done to the files between writing and reading back; tests damage them with it */
    void save(Path directory, EncoderModel base, AdapterDirectory.Step written) {
        fits(base);
        AdapterDirectory.publish(
                directory,
                aside -> {
                    held.files().write(aside, WEIGHTS, WeightType.FLOAT32, Map.of(CONFIG, config.toJson(this.base)));
                    written.run(aside);
                },
                aside -> {
                    try (EncoderAdapter readBack = load(aside, this.base)) {
                        compare(readBack, base, directory);
                    }
                });
    }

    private void compare(EncoderAdapter readBack, EncoderModel base, Path directory) {
        try (PtNDManager call = TorchProgram.open()) {
            TorchProgram.Opaque exact = base.held().master().operands(call, ComputeType.FLOAT32); // no copy
            float[][] ours = said(reader(base, exact));
            float[][] theirs = said(readBack.reader(base, exact));
            double largest = 0;
            for (int row = 0; row < ours.length; row++) {
                for (int i = 0; i < ours[row].length; i++) {
                    double difference = Math.abs((double) ours[row][i] - theirs[row][i]);
                    largest = Double.isNaN(difference) ? Double.NaN : Math.max(largest, difference);
                }
            }
            if (!(largest <= LoraAdapter.ALLOWED_DIFFERENCE)) {
                throw new IllegalStateException("The adapter written for " + directory
                        + " is not the one in memory: read back, what it says differs by up to " + largest
                        + ", more than " + LoraAdapter.ALLOWED_DIFFERENCE + ". Nothing was published");
            }
        }
    }

    /** Every linear layer has a part in every token, so any tokens will do. */
    private float[][] said(EncoderReader reader) {
        GaussianSource random = new GaussianSource(0);
        int[] ids = new int[Math.min(PROBED_TOKENS, base.maxPositions())];
        Arrays.setAll(ids, t -> (int) (random.uniform() * base.vocabularySize()));
        EncoderInput input = EncoderInput.of(ids);
        return switch (base.head()) {
            case LABELS -> reader.labelLogits(List.of(input));
            case MASKED -> reader.maskedLogits(input, 0, ids.length - 1);
            case NONE, BARE -> reader.hidden(List.of(input)).get(0);
        };
    }

    /** SHA-256 over all matrices in the order of their names, as little-endian float32; lower-case hex. */
    public String digest() {
        return held.files().digest();
    }

    /** One tensor by PEFT's name, row by row. */
    public float[] weights(String name) {
        return held.files().tensor(name);
    }

    // ---- on a model -------------------------------------------------------------------------------------------------

    /** As {@link EncoderModel#hidden}, of base and adapter together, without merging them. */
    public List<float[][]> hidden(EncoderModel base, List<EncoderInput> inputs) {
        return reader(base, base.held().compute()).hidden(inputs);
    }

    /** As {@link EncoderModel#maskedLogits}, of base and adapter together, without merging them. */
    public float[][] maskedLogits(EncoderModel base, EncoderInput input, int... places) {
        return reader(base, base.held().compute()).maskedLogits(input, places);
    }

    /** As {@link EncoderModel#labelLogits}, of base and adapter together, without merging them. */
    public float[][] labelLogits(EncoderModel base, List<EncoderInput> inputs) {
        return reader(base, base.held().compute()).labelLogits(inputs);
    }

    private EncoderReader reader(EncoderModel base, TorchProgram.Opaque compute) {
        fits(base);
        return new EncoderReader(this.base, held.program(), base.held().master(), compute, Optional.of(held.master()));
    }

    /** A copy of the base whose weights are W + s·B·A, with this classifier; it computes in the base's type. */
    @Override
    public EncoderModel mergedInto(EncoderModel base) {
        fits(base);
        HeldWeights from = base.held();
        return EncoderModel.owning(this.base, HeldWeights.made(from.layout(), from.program(), from.type(), weights -> {
            weights.copyFrom(from.master());
            try (PtNDManager call = TorchProgram.open()) {
                held.program()
                        .infer(call, "merge", weights.array(), held.master().array(), 1.0);
            }
            for (String name : heads(this.base)) {
                float[] values = weights(LoraModule.PREFIX + name);
                weights.write(from.layout().slot(name).at(), values, values.length);
            }
        }));
    }

    private void fits(EncoderModel model) {
        if (!model.config().equals(base)) {
            throw new IllegalArgumentException(
                    "This adapter belongs to a model of " + base + ", but was put on one of " + model.config());
        }
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
