package io.tidemill.model.engine;

/** The number type of weights on disk. */
public enum WeightType {
    FLOAT32("F32", "float32", 4),
    BFLOAT16("BF16", "bfloat16", 2);

    private final String safetensorsName;
    private final String torchName;
    private final int bytes;

    WeightType(String safetensorsName, String torchName, int bytes) {
        this.safetensorsName = safetensorsName;
        this.torchName = torchName;
        this.bytes = bytes;
    }

    String safetensorsName() {
        return safetensorsName;
    }

    String torchName() {
        return torchName;
    }

    int bytes() {
        return bytes;
    }
}
