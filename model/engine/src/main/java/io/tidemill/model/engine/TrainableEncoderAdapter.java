package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An adapter that learns on an encoder that does not: float32 masters of A, B and the classifier, their gradients and
 * AdamW's moments. One thread owns it. All matrices decay.
 *
 * <p>The base is kept by reference, must stay open, and stays as it is: it gets no gradient, no moments and no copy.
 *
 * <p>Native memory: 16 bytes per weight of the adapter; a step adds the activations of one batch, and the adapter once or
 * twice in the type of the matrix products, freed when the call returns.
 */
public final class TrainableEncoderAdapter extends EncoderTraining {
    private final LoraConfig lora;
    private final EncoderModel base;
    private String baseDigest; // of the frozen weights; computed when a state is first saved or loaded

    private TrainableEncoderAdapter(EncoderModel base, EncoderAdapter start, AdamWSettings settings) {
        super(base.config(), weights(base, start, settings));
        this.lora = start.config();
        this.base = base;
    }

    private static TrainableWeights weights(EncoderModel base, EncoderAdapter start, AdamWSettings settings) {
        if (!start.base().equals(base.config())) {
            throw new IllegalArgumentException("The adapter belongs to a model of " + start.base()
                    + ", but was to learn on one of " + base.config());
        }
        if (start.config().dropout() > 0) {
            throw new IllegalArgumentException(
                    "lora_dropout is " + start.config().dropout()
                            + ", but dropout is not applied in training. Set it to 0 to train this adapter");
        }
        return new TrainableWeights(start.held(), settings);
    }

    /** A new adapter, {@link EncoderAdapter#initial}; computes in the type in which {@code base} does. */
    public static TrainableEncoderAdapter from(
            EncoderModel base, LoraConfig config, long seed, AdamWSettings settings) {
        try (EncoderAdapter start = EncoderAdapter.initial(config, base, seed)) {
            return from(base, start, settings);
        }
    }

    /** Goes on from a copy of an adapter. */
    public static TrainableEncoderAdapter from(EncoderModel base, EncoderAdapter start, AdamWSettings settings) {
        return new TrainableEncoderAdapter(base, start, settings);
    }

    @Override
    NDArray run(PtNDManager call, String method, Object... arguments) {
        List<Object> all = new ArrayList<>(weights.operandsOn(base.held()));
        all.addAll(List.of(arguments));
        return weights.run(call, method, all).get(0);
    }

    @Override
    EncoderReader reader() {
        return new EncoderReader(
                config(),
                weights.program(),
                base.held().master(),
                base.held().compute(),
                Optional.of(weights.master()));
    }

    public LoraConfig lora() {
        return lora;
    }

    /** The model that it learns on. */
    public EncoderModel base() {
        return base;
    }

    /** A copy of the adapter as it is now. */
    public EncoderAdapter snapshot() {
        return EncoderAdapter.owning(lora, config(), weights.snapshot());
    }

    /** The base's digest is part of it, because the base itself is not part of a state. */
    @Override
    String stateShape() {
        if (baseDigest == null) {
            baseDigest = base.digest();
        }
        return config() + " r=" + lora.rank() + " alpha=" + lora.alpha() + " rslora=" + lora.rankStabilised()
                + " targets=" + lora.targets() + " excluded=" + lora.excluded() + " ranks=" + lora.rankPattern()
                + " alphas=" + lora.alphaPattern() + " base=" + baseDigest;
    }
}
