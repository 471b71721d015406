package io.tidemill.model.engine;

import ai.djl.pytorch.engine.PtNDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A low-rank adapter, float32, in native memory: what {@link LoraConfig} adds to the linear layers of a decoder.
 * Immutable, like the {@link LanguageModel} it is put on, which it never changes and does not own. Any number of threads
 * may read at once; whoever made it closes it after the last of them.
 *
 * <p>To answer with it, merge it: {@link #mergedInto} costs one copy of the base, and generation then costs nothing
 * more. To be rid of it again, go on with the base, which is as it was, bit for bit.
 *
 * <p>Native memory: 4 bytes per weight of the adapter.
 */
public final class LoraAdapter implements Adapter<LanguageModel> {
    /** Logits of what was written and of what is in memory may differ by so much. */
    static final double ALLOWED_DIFFERENCE = 1e-4;

    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final int PROBED_TOKENS = 32;

    private final LoraConfig config;
    private final ModelConfig base;
    private final HeldWeights held;

    private LoraAdapter(LoraConfig config, ModelConfig base, HeldWeights held) {
        this.config = config;
        this.base = base;
        this.held = held;
    }

    // ---- where adapters come from -----------------------------------------------------------------------------------

    /** Reads {@code adapter_config.json} and {@code adapter_model.safetensors} of an adapter on models of this shape. */
    public static LoraAdapter load(Path directory, ModelConfig base) {
        try {
            LoraConfig config = LoraConfig.read(directory.resolve(CONFIG));
            List<LoraModule> modules = modules(directory, config, base);
            Path pickle = directory.resolve("adapter_model.bin");
            Path weights = directory.resolve(WEIGHTS);
            return new LoraAdapter(
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

    private static List<LoraModule> modules(Path directory, LoraConfig config, ModelConfig base) {
        try {
            return config.modules(base);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(directory.resolve(CONFIG) + ": " + e.getMessage(), e);
        }
    }

    /**
     * One that changes nothing yet, as PEFT begins: B is zero, and A uniform in ±1/√inputs, which is what
     * {@code kaiming_uniform_} with {@code a = √5} gives. The seed alone decides, on any machine. Where the base gives
     * scores, their matrix is part of the adapter and begins as zeros here; {@link TrainableAdapter} begins with the base's.
     */
    public static LoraAdapter initial(LoraConfig config, ModelConfig base, long seed) {
        List<LoraModule> modules = config.modules(base);
        Layout layout = new Layout(base, modules);
        GaussianSource random = new GaussianSource(seed);
        return new LoraAdapter(
                config,
                base,
                HeldWeights.made(layout, Layout.program(base, modules), ComputeType.FLOAT32, weights -> modules.stream()
                        .filter(module -> module.rank() > 0)
                        .forEach(module -> randomise(layout.slot(module.tensor("A")), weights, random))));
    }

    static void randomise(Layout.Slot slot, FlatWeights weights, GaussianSource random) {
        int inputs = Math.toIntExact(slot.shape()[1]);
        double bound = 1 / Math.sqrt(inputs);
        float[] row = new float[inputs];
        for (long at = 0; at < slot.length(); at += inputs) {
            for (int i = 0; i < inputs; i++) {
                row[i] = (float) ((2 * random.uniform() - 1) * bound);
            }
            weights.write(slot.at() + at, row, inputs);
        }
    }

    /** Begins with the base's matrix of scores, if it has one. Only before anybody else reads it. */
    void takeScores(LanguageModel base) {
        if (base.config().head().scores() > 0) {
            Layout.Slot to = held.layout().slot(LoraModule.PREFIX + Layout.SCORES);
            Layout.Slot from = base.held().layout().slot(Layout.SCORES);
            held.master().copyFrom(base.master(), from.at(), to.at(), to.length());
        }
    }

    /** Takes what a training has made. */
    static LoraAdapter owning(LoraConfig config, ModelConfig base, HeldWeights held) {
        return new LoraAdapter(config, base, held);
    }

    /**
     * A copy for the base with a critic's head, {@link LanguageModel#withValueHead}, which is part of the adapter and zero at
     * first; the snapshots of {@link TrainableAdapter} no longer have it.
     */
    public LoraAdapter withValueHead() {
        base.head().requireSpeech();
        ModelConfig other = base.withHead(DecoderHead.LANGUAGE_AND_VALUE);
        List<LoraModule> modules = config.modules(other);
        return new LoraAdapter(
                config,
                other,
                held.as(new Layout(other, modules), Layout.program(other, modules), (slot, weights) -> {})); // zeros
    }

    public LoraConfig config() {
        return config;
    }

    /** Shape of the models it can be put on. */
    public ModelConfig base() {
        return base;
    }

    /** Number of weights of all A and B, and of the scores' matrix where there is one. */
    public long parameterCount() {
        return held.layout().length();
    }

    // ---- where they go ----------------------------------------------------------------------------------------------

    /**
     * Publishes the adapter: writes a directory that PEFT loads, reads it back, compares the logits of both on
     * {@code base} in float32, and only then gives the directory its name. All is flushed.
     *
     * @param directory does not exist yet
     * @param base      the model that the adapter was trained on
     * @throws IllegalStateException if what was read back does not say what is in memory; nothing is left behind
     */
    @Override
    public void save(Path directory, LanguageModel base) {
        save(directory, base, written -> {});
    }

    /** @param written what is done to the files between writing and reading back; tests damage them with it */
    void save(Path directory, LanguageModel base, AdapterDirectory.Step written) {
        fits(base);
        AdapterDirectory.publish(
                directory,
                aside -> {
                    held.files().write(aside, WEIGHTS, WeightType.FLOAT32, Map.of(CONFIG, config.toJson(this.base)));
                    written.run(aside);
                },
                aside -> {
                    try (LoraAdapter readBack = load(aside, this.base)) {
                        compare(readBack, base, directory);
                    }
                });
    }

    private void compare(LoraAdapter readBack, LanguageModel base, Path directory) {
        int[] sequence = probe();
        try (PtNDManager call = TorchProgram.open()) {
            TorchProgram.Opaque exact = base.master().operands(call, ComputeType.FLOAT32); // no copy
            float[][] ours = said(scorer(base, exact), sequence);
            float[][] theirs = said(readBack.scorer(base, exact), sequence);
            double largest = 0;
            for (int t = 0; t < ours.length; t++) {
                for (int v = 0; v < ours[t].length; v++) {
                    double difference = Math.abs((double) ours[t][v] - theirs[t][v]);
                    largest = Double.isNaN(difference) ? Double.NaN : Math.max(largest, difference);
                }
            }
            if (!(largest <= ALLOWED_DIFFERENCE)) {
                throw new IllegalStateException("The adapter written for " + directory
                        + " is not the one in memory: read back, what it says differs by up to " + largest
                        + ", more than "
                        + ALLOWED_DIFFERENCE + ". Nothing was published");
            }
        }
    }

    private float[][] said(Scorer scorer, int[] sequence) {
        return base.head().speaks()
                ? scorer.logits(sequence)
                : scorer.scores(List.of(sequence)).toArray(float[][]::new);
    }

    /** Every linear layer has a part in every token, so any tokens will do. */
    private int[] probe() {
        GaussianSource random = new GaussianSource(0);
        int[] ids = new int[Math.min(PROBED_TOKENS, base.maxPositions())];
        java.util.Arrays.setAll(ids, t -> (int) (random.uniform() * base.vocabularySize()));
        return ids;
    }

    /** SHA-256 over all matrices in the order of their names, as little-endian float32; lower-case hex. */
    public String digest() {
        return held.files().digest();
    }

    /** One matrix by PEFT's name, row by row. */
    public float[] weights(String name) {
        return held.files().tensor(name);
    }

    // ---- on a model -------------------------------------------------------------------------------------------------

    /** As {@link LanguageModel#logits}, of base and adapter together, without merging them. */
    public float[][] logits(LanguageModel base, int[] sequence) {
        return scorer(base, base.compute()).logits(sequence);
    }

    /** As {@link LanguageModel#logProbabilities}, of base and adapter together, without merging them. */
    public List<float[]> logProbabilities(LanguageModel base, List<int[]> sequences) {
        return scorer(base, base.compute()).logProbabilities(sequences);
    }

    /** As {@link LanguageModel#answerLogProbabilities}, of base and adapter together, without merging them. */
    public double[][][] answerLogProbabilities(LanguageModel base, List<PromptAnswers> texts, int atOnce) {
        return scorer(base, base.compute()).logProbabilitiesOfAnswers(texts, PrefixRows.Form.PACKED, atOnce);
    }

    /** As {@link LanguageModel#scores}, of base and adapter together, without merging them. */
    public List<float[]> scores(LanguageModel base, List<int[]> texts) {
        return scorer(base, base.compute()).scores(texts);
    }

    private Scorer scorer(LanguageModel base, TorchProgram.Opaque compute) {
        fits(base);
        return new Scorer(this.base, held.program(), base.master(), compute, Optional.of(held.master()));
    }

    /**
     * A copy of the base whose weights are W + s·B·A, with the adapter's matrix of scores where there is one; it computes in
     * the base's type. A critic's head that the base had while the adapter was trained is left out.
     */
    @Override
    public LanguageModel mergedInto(LanguageModel base) {
        return changed(base, 1);
    }

    /**
     * A copy whose weights are W − s·B·A: the base again, but only within float32 rounding, and further off if the
     * merged weights were stored as bfloat16. For those who no longer have the base itself. A matrix of scores stays.
     */
    public LanguageModel takenOutOf(LanguageModel merged) {
        return changed(merged, -1);
    }

    private LanguageModel changed(LanguageModel model, double sign) {
        fits(model);
        HeldWeights from = model.held();
        Layout layout = new Layout(base);
        return LanguageModel.owning(base, HeldWeights.made(layout, Layout.program(base), from.type(), weights -> {
            HeldWeights.copyShared(from.layout(), from.master(), layout, weights);
            try (PtNDManager call = TorchProgram.open()) {
                held.program()
                        .infer(call, "merge", weights.array(), held.master().array(), sign);
            }
        }));
    }

    private void fits(LanguageModel model) {
        if (!model.config().withoutValueHead().equals(base)) {
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
