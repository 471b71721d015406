package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An encoder that learns: float32 master weights, their gradients and AdamW's moments. One thread owns it.
 *
 * <p>Native memory: 16 bytes per weight, and 2 more where the matrix products are bfloat16; a step adds the
 * activations of one batch, freed when the call returns.
 */
public final class TrainableEncoder extends EncoderTraining {
    private final ComputeType computeType;

    private TrainableEncoder(EncoderModel start, AdamWSettings settings) {
        super(start.config(), new TrainableWeights(start.held(), settings));
        this.computeType = start.computeType();
    }

    /** Copies the weights; computes in the type in which {@code start} does. */
    public static TrainableEncoder from(EncoderModel start, AdamWSettings settings) {
        return new TrainableEncoder(start, settings);
    }

    public ComputeType computeType() {
        return computeType;
    }

    /**
     * From now on every step also goes back towards these weights, by their share of the way times its learning rate.
     *
     * @param anchor   not copied: it stays open as long as this learns
     * @param strength 0 lets go
     */
    public void anchor(EncoderModel anchor, double strength) {
        weights.anchor(anchor.held(), strength);
    }

    @Override
    NDArray run(PtNDManager call, String method, Object... arguments) {
        List<Object> all = new ArrayList<>();
        all.add(Batches.none(call)); // no adapter
        all.addAll(Arrays.asList(arguments));
        return weights.accumulate(call, method, all.toArray());
    }

    @Override
    EncoderReader reader() {
        return new EncoderReader(config(), weights.program(), weights.master(), weights.compute(), Optional.empty());
    }

    /** A copy of the weights as they are now. */
    public EncoderModel snapshot(ComputeType type) {
        return EncoderModel.copyOf(config(), weights.master(), type);
    }

    @Override
    String stateShape() {
        return config().toString();
    }
}
