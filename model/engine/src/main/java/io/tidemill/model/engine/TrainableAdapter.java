package io.tidemill.model.engine;

import ai.djl.pytorch.engine.PtNDManager;
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
public final class TrainableAdapter extends TrainableDecoder {
    private final LoraConfig config;
    private final LanguageModel base;
    private String baseDigest; // of the frozen weights; computed when a state is first saved or loaded

    private TrainableAdapter(LanguageModel base, LoraAdapter start, AdamWSettings settings) {
        super(base.config(), weights(base, start, settings));
        this.config = start.config();
        this.base = base;
    }

    private static TrainableWeights weights(LanguageModel base, LoraAdapter start, AdamWSettings settings) {
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

    /** A new adapter, {@link LoraAdapter#initial}; computes in the type in which {@code base} does. */
    public static TrainableAdapter from(LanguageModel base, LoraConfig config, long seed, AdamWSettings settings) {
        try (LoraAdapter start = LoraAdapter.initial(config, base.config(), seed)) {
            start.takeScores(base);
            return from(base, start, settings);
        }
    }

    /** Goes on from a copy of an adapter. */
    public static TrainableAdapter from(LanguageModel base, LoraAdapter start, AdamWSettings settings) {
        return new TrainableAdapter(base, start, settings);
    }

    @Override
    List<Object> operands(PtNDManager call) {
        return weights.operandsOn(base.held());
    }

    @Override
    Scorer scorer() {
        return weights.scorerOn(base);
    }

    public LoraConfig config() {
        return config;
    }

    /** The model that it learns on. */
    public LanguageModel base() {
        return base;
    }

    /** A copy of the adapter as it is now, without a critic's head. */
    public LoraAdapter snapshot() {
        ModelConfig published = base.config().withoutValueHead();
        List<LoraModule> modules = config.modules(published);
        return LoraAdapter.owning(
                config,
                published,
                weights.snapshot(
                        new Layout(published, modules), Layout.program(published, modules), ComputeType.FLOAT32));
    }

    /** The base's digest is part of it, because the base itself is not part of a state. */
    @Override
    String stateShape() {
        if (baseDigest == null) {
            baseDigest = base.digest();
        }
        return base.config().stateShape() + " r=" + config.rank() + " alpha=" + config.alpha() + " rslora="
                + config.rankStabilised() + " targets=" + config.targets() + " excluded=" + config.excluded()
                + " ranks=" + config.rankPattern() + " alphas=" + config.alphaPattern() + " base=" + baseDigest;
    }
}
