package io.tidemill.model.engine;

/**
 * What an adapter does to one linear layer: it adds {@code scale · B A} to the weight.
 *
 * @param rank  rows of A and columns of B; 0 = this layer is left alone
 * @param scale what their product is multiplied with
 */
record LoraModule(LinearModule linear, int rank, double scale) {
    /** Before the names of all tensors in PEFT's files. */
    static final String PREFIX = "base_model.model.";

    /** PEFT's name of A, {@code [rank, inputs]}, or of B, {@code [outputs, rank]}. */
    String tensor(String letter) {
        return PREFIX + linear.name() + ".lora_" + letter + ".weight";
    }
}
