package io.tidemill.bench;

import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.ModelShape;

/** The models that are measured, by the names that {@code ./tidemill program --shape} has for them. */
final class Shapes {
    private Shapes() {}

    static final ModelConfig BASE = ModelShape.BASE.config();
    static final ModelConfig MEDIUM = ModelShape.MEDIUM.config();
    static final ModelConfig SMOL = ModelShape.SMOL.config();

    /**
     * A shape by its name.
     *
     * @param name {@code tiny}, {@code base}, {@code medium}, {@code smol} or {@code 1b}
     */
    static ModelConfig named(String name) {
        return ModelShape.named(name).config();
    }

    /** The same Llama with as many tokens. */
    static ModelConfig withVocabulary(ModelConfig shape, int vocabulary) {
        return new ModelConfig(
                vocabulary,
                shape.hiddenSize(),
                shape.intermediateSize(),
                shape.layers(),
                shape.heads(),
                shape.keyValueHeads(),
                shape.headSize(),
                shape.maxPositions(),
                shape.ropeTheta(),
                shape.rmsNormEpsilon(),
                shape.tiedEmbeddings(),
                shape.initializerRange(),
                shape.bosTokenId(),
                shape.eosTokenIds());
    }
}
