package io.tidemill.bench;

import io.tidemill.model.engine.ModelConfig;
import java.util.List;

/** The models that are measured: shapes of Llama, with random weights, because speed does not ask what they say. */
final class Shapes {
    private Shapes() {}

    /** 7.5 million weights: the embedded base model's. */
    static final ModelConfig BASE =
            new ModelConfig(6144, 256, 704, 8, 8, 4, 32, 512, 10_000, 1e-5, true, 0.02, 0, List.of(0));

    /** 33.5 million weights: what the goals of training are stated for. */
    static final ModelConfig MEDIUM =
            new ModelConfig(16_000, 512, 1376, 8, 8, 8, 64, 1024, 10_000, 1e-5, true, 0.02, 0, List.of(0));

    /** 134.5 million weights: SmolLM2-135M's. */
    static final ModelConfig SMOL =
            new ModelConfig(49_152, 576, 1536, 30, 9, 3, 64, 2048, 100_000, 1e-5, true, 0.02, 0, List.of(0));

    /**
     * A shape by its name.
     *
     * @param name {@code base}, {@code medium} or {@code smol}
     */
    static ModelConfig named(String name) {
        return switch (name) {
            case "base" -> BASE;
            case "medium" -> MEDIUM;
            case "smol" -> SMOL;
            default -> throw new IllegalArgumentException("Shapes are base, medium and smol, but not " + name);
        };
    }
}
