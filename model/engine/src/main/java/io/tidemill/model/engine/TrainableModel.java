package io.tidemill.model.engine;

import ai.djl.pytorch.engine.PtNDManager;
import java.util.List;

/**
 * Float32 master weights, their gradients and AdamW's moments. One thread owns it.
 *
 * <p>Native memory: 16 bytes per weight, and 2 more where the matrix products are bfloat16; a step adds the
 * activations of one batch, freed when the call returns.
 */
public final class TrainableModel extends TrainableDecoder {
    private final ModelConfig config;
    private final ComputeType computeType;

    private TrainableModel(LanguageModel start, AdamWSettings settings) {
        super(start.config(), new TrainableWeights(start.held(), settings));
        this.config = start.config();
        this.computeType = start.computeType();
    }

    /** Copies the weights; computes in the type in which {@code start} does. */
    public static TrainableModel from(LanguageModel start, AdamWSettings settings) {
        return new TrainableModel(start, settings);
    }

    /**
     * From now on every step also goes back towards these weights, by their share of the way times its learning rate.
     *
     * @param anchor   not copied: it stays open as long as this learns
     * @param strength 0 lets go
     */
    public void anchor(LanguageModel anchor, double strength) {
        weights.anchor(anchor.held(), strength);
    }

    @Override
    List<Object> operands(PtNDManager call) {
        return weights.operands(call);
    }

    @Override
    Scorer scorer() {
        return weights.scorer(config);
    }

    public ComputeType computeType() {
        return computeType;
    }

    public ModelConfig config() {
        return config;
    }

    /** A copy of the weights as they are now, without a critic's head. */
    public LanguageModel snapshot(ComputeType type) {
        ModelConfig published = config.withoutValueHead();
        return LanguageModel.owning(
                published, weights.snapshot(new Layout(published), Layout.program(published), type));
    }

    @Override
    String stateShape() {
        return config.stateShape();
    }
}
