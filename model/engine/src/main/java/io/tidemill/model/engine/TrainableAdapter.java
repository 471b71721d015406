package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A LoRA adapter that learns on a model that does not: float32 masters of A and B, their gradients and AdamW's moments.
 * One thread owns it. All A and B decay, as matrices do.
 *
 * <p>The base is kept by reference, must stay open, and stays as it is: it gets no gradient, no moments and no copy.
 * For preference pairs the frozen start, base and adapter as they were, is the reference; while B is still zero that is
 * the base alone.
 *
 * <p>Native memory: 16 bytes per weight of the adapter; a step adds the activations of one batch, and the adapter once or
 * twice in the type of the matrix products, freed when the call returns.
 */
public final class TrainableAdapter implements AutoCloseable {
    private final LoraConfig config;
    private final LanguageModel base;
    private final TrainableWeights weights;
    private final DecoderSteps steps;
    private boolean recomputesActivations;
    private String baseDigest; // of the frozen weights; computed when a state is first saved or loaded

    private TrainableAdapter(LanguageModel base, LoraAdapter start, AdamWSettings settings) {
        if (!start.base().equals(base.config())) {
            throw new IllegalArgumentException("The adapter belongs to a model of " + start.base()
                    + ", but was to learn on one of " + base.config());
        }
        if (start.config().dropout() > 0) {
            throw new IllegalArgumentException(
                    "lora_dropout is " + start.config().dropout()
                            + ", but dropout is not applied in training. Set it to 0 to train this adapter");
        }
        this.config = start.config();
        this.base = base;
        this.weights = new TrainableWeights(start.held(), settings);
        this.steps = new DecoderSteps(base.config(), this::step);
    }

    /** A new adapter, {@link LoraAdapter#initial}; computes in the type in which {@code base} does. */
    public static TrainableAdapter from(LanguageModel base, LoraConfig config, long seed, AdamWSettings settings) {
        try (LoraAdapter start = LoraAdapter.initial(config, base.config(), seed)) {
            return from(base, start, settings);
        }
    }

    /** Goes on from a copy of an adapter. */
    public static TrainableAdapter from(LanguageModel base, LoraAdapter start, AdamWSettings settings) {
        return new TrainableAdapter(base, start, settings);
    }

    private NDArray step(PtNDManager call, String method, List<NDArray> batch) {
        List<Object> arguments = new ArrayList<>(batch);
        arguments.add(call.create(recomputesActivations));
        return weights.accumulateOn(base.held(), call, method, arguments.toArray());
    }

    public LoraConfig config() {
        return config;
    }

    /** The model that it learns on. */
    public LanguageModel base() {
        return base;
    }

    /** As {@link TrainableModel#recomputeActivations}. */
    public void recomputeActivations(boolean recompute) {
        this.recomputesActivations = recompute;
    }

    // ---- losses -----------------------------------------------------------------------------------------------------

    /** As {@link TrainableModel#accumulate(PackedBatch, long)}, of A and B alone. */
    public double accumulate(PackedBatch batch, long lossTokensOfStep) {
        return steps.causal(batch, lossTokensOfStep);
    }

    /** As {@link TrainableModel#accumulate(List, double, double, double)}, of A and B alone. */
    public DpoResult accumulate(List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight) {
        return steps.preference(pairs, beta, weightOfStep, supervisedWeight);
    }

    // ---- what becomes of the gradients ------------------------------------------------------------------------------

    /** As {@link TrainableModel#clip}. */
    public double clip(double maximumNorm) {
        return weights.clip(maximumNorm);
    }

    /** One step of AdamW; the gradients are zero afterwards. */
    public void update(double learningRate) {
        weights.update(learningRate);
    }

    /** Forgets the gradients, also those that are not numbers; weights and moments stay. */
    public void discardGradients() {
        weights.discardGradients();
    }

    /** Gradient of one matrix by PEFT's name. */
    float[] gradient(String name) {
        return weights.gradient(name);
    }

    /** Adds to one gradient; tests spoil gradients with it. */
    void spoilGradient(float value) {
        weights.spoilGradient(value);
    }

    /** Optimizer steps so far, those before {@link #loadState} included. */
    public long steps() {
        return weights.steps();
    }

    // ---- copies and files -------------------------------------------------------------------------------------------

    /** A copy of the adapter as it is now. */
    public LoraAdapter snapshot() {
        return LoraAdapter.owning(config, base.config(), weights.snapshot());
    }

    /**
     * Writes A, B, moments and step count, exactly; flushed. Gradients are not part of it: save between steps. The base
     * is not either, but its digest is.
     */
    public void saveState(Path file) {
        weights.saveState(file, shape());
    }

    /** Goes on where {@link #saveState} left off, bit for bit with the same thread count and base. */
    public void loadState(Path file) {
        weights.loadState(file, shape());
    }

    /** What must be equal for a state to fit. */
    private String shape() {
        if (baseDigest == null) {
            baseDigest = base.digest();
        }
        return base.config().stateShape() + " r=" + config.rank() + " alpha=" + config.alpha() + " rslora="
                + config.rankStabilised() + " targets=" + config.targets() + " excluded=" + config.excluded()
                + " ranks=" + config.rankPattern() + " alphas=" + config.alphaPattern() + " base=" + baseDigest;
    }

    @Override
    public void close() {
        weights.close();
    }
}
