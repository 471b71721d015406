package io.tidemill.model.engine;

/** What models take in native memory, in bytes, activations aside. */
public final class NativeMemory {
    private NativeMemory() {}

    /** Of a {@link LanguageModel}. */
    public static long ofModel(long weights, ComputeType compute) {
        return weights * (4 + operands(compute));
    }

    /** Of a {@link TrainableModel}: master weights, gradients and two moments. */
    public static long ofTraining(long weights, ComputeType compute) {
        return weights * (16 + operands(compute));
    }

    private static int operands(ComputeType compute) {
        return compute == ComputeType.BFLOAT16 ? 2 : 0;
    }

    /** Whether tensors lie in the memory of the host rather than on a GPU. Loads libtorch if it is not yet loaded. */
    public static boolean isOfHost() {
        return TorchProgram.isOnHost();
    }
}
