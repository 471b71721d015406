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
        return weights.accumulate(call, method, arguments.toArray());
    }

    public ComputeType computeType() {
        return computeType;
    }

    public ModelConfig config() {
        return config;
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
     * Adds the gradient of direct preference optimisation; {@link DecoderSteps#preference} has formula and sources.
     *
     * @param beta             β; 0.1 is usual
     * @param weightOfStep     W, the sum of the weights of all pairs of this optimizer step
     * @param supervisedWeight s, weight of the chosen answer's own loss; 0 leaves the term out
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
