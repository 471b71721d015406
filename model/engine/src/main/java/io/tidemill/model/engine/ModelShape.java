package io.tidemill.model.engine;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Shapes of Llama that are measured with random weights, because speed does not ask what they say. */
public enum ModelShape {
    /** 43 thousand weights: to try something out. */
    TINY("tiny", new ModelConfig(256, 48, 96, 2, 4, 2, 12, 128, 10_000, 1e-5, true, 0.02, 0, List.of(0))),

    /** 7.5 million weights: the embedded base model's. */
    BASE("base", new ModelConfig(6144, 256, 704, 8, 8, 4, 32, 512, 10_000, 1e-5, true, 0.02, 0, List.of(0))),

    /** 33.5 million weights: what the goals of training are stated for. */
    MEDIUM("medium", new ModelConfig(16_000, 512, 1376, 8, 8, 8, 64, 1024, 10_000, 1e-5, true, 0.02, 0, List.of(0))),

    /** 134.5 million weights: SmolLM2-135M's. */
    SMOL("smol", new ModelConfig(49_152, 576, 1536, 30, 9, 3, 64, 2048, 100_000, 1e-5, true, 0.02, 0, List.of(0))),

    /** 1.24 billion weights: Llama 3.2 1B's, without its scaling of the rotary embedding. */
    BILLION("1b", new ModelConfig(128_256, 2048, 8192, 16, 32, 8, 64, 4096, 500_000, 1e-5, true, 0.02, 0, List.of(0)));

    private final String shapeName;
    private final ModelConfig config;

    ModelShape(String shapeName, ModelConfig config) {
        this.shapeName = shapeName;
        this.config = config;
    }

    /** What users call it. */
    public String shapeName() {
        return shapeName;
    }

    public ModelConfig config() {
        return config;
    }

    /** All names, as a sentence lists them. */
    public static String names() {
        return Arrays.stream(values()).map(ModelShape::shapeName).collect(Collectors.joining(", "));
    }

    /**
     * A shape by its name.
     *
     * @throws IllegalArgumentException naming all, if there is none of that name
     */
    public static ModelShape named(String name) {
        return Arrays.stream(values())
                .filter(shape -> shape.shapeName.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Shapes are " + names() + ", but not '" + name + "'"));
    }
}
