package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Float32 master weights, their gradients and AdamW's moments. One thread owns it.
 *
 * <p>Native memory: 16 bytes per weight, and 2 more where the matrix products are bfloat16; a step adds the
 * activations of one batch, freed when the call returns.
 */
public final class TrainableModel implements AutoCloseable {
    private final ModelConfig config;
    private final ComputeType computeType;
    private final TrainableWeights weights;
    private final DecoderSteps steps;
    private boolean recomputesActivations;

    private TrainableModel(LanguageModel start, AdamWSettings settings) {
        this.config = start.config();
        this.computeType = start.computeType();
        this.weights = new TrainableWeights(start.held(), settings);
        this.steps = new DecoderSteps(config, this::step);
    }

    /** Copies the weights; computes in the type in which {@code start} does. */
    public static TrainableModel from(LanguageModel start, AdamWSettings settings) {
        return new TrainableModel(start, settings);
    }

    private NDArray step(PtNDManager call, String method, List<NDArray> batch) {
        List<Object> arguments = new ArrayList<>();
        arguments.add(Batches.none(call)); // no adapter
        arguments.addAll(batch);
        arguments.add(call.create(recomputesActivations));
        return weights.accumulate(call, method, arguments.toArray());
    }

    public ComputeType computeType() {
        return computeType;
    }

    public ModelConfig config() {
        return config;
    }

    /**
     * Whether a step computes each layer's activations a second time instead of keeping them all: less memory, more time,
     * the same gradients but for rounding. Off at first; may be changed between any two calls.
     */
    public void recomputeActivations(boolean recompute) {
        this.recomputesActivations = recompute;
    }

    // ---- losses -----------------------------------------------------------------------------------------------------

    /**
     * Adds the gradient of (sum of this batch's token losses / {@code lossTokensOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per token
     */
    public double accumulate(PackedBatch batch, long lossTokensOfStep) {
        return steps.causal(batch, lossTokensOfStep);
    }

    /**
     * Adds the gradient of direct preference optimisation.
     *
     * <pre>  Σ weight·(−log σ(β·m) + s·NLL(chosen)/|chosen|) / W
     *   m = (log π(chosen) − log ref(chosen)) − (log π(rejected) − log ref(rejected))  </pre>
     *
     * <p>Source: Rafailov et al. (2023), arXiv:2305.18290, equation 7; the term with s as in Pang et al. (2024),
     * arXiv:2404.19733, equation 2. Differs: a weight per pair, and W, the weight of the whole step, instead of a mean.
     *
     * @param beta             β; 0.1 is usual
     * @param weightOfStep     W, the sum of the weights of all pairs of this optimizer step
     * @param supervisedWeight s; 0 leaves the term out
     */
    public DpoResult accumulate(List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight) {
        return steps.preference(pairs, beta, weightOfStep, supervisedWeight);
    }

    // ---- what becomes of the gradients ------------------------------------------------------------------------------

    /**
     * Scales all gradients together so that their L2 norm is at most {@code maximumNorm}.
     *
     * @return the norm before; if it is not finite, the gradients are left as they are
     */
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

    /** Gradient of one tensor by its Hugging Face name. */
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

    /** A copy of the weights as they are now. */
    public LanguageModel snapshot(ComputeType type) {
        return LanguageModel.copyOf(config, weights.master(), type);
    }

    /**
     * Writes master weights, moments and step count, exactly; flushed. Gradients are not part of it: save between
     * steps.
     */
    public void saveState(Path file) {
        weights.saveState(file, config.stateShape());
    }

    /** Goes on where {@link #saveState} left off, bit for bit with the same thread count. */
    public void loadState(Path file) {
        weights.loadState(file, config.stateShape());
    }

    @Override
    public void close() {
        weights.close();
    }
}
