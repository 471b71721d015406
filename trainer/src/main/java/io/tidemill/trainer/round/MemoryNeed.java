package io.tidemill.trainer.round;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.NativeMemory;
import io.tidemill.model.engine.WeightType;
import java.util.Locale;
import java.util.Optional;

/**
 * What the weights of a round take at their most, in bytes; activations come on top.
 *
 * <p>With all weights trained: the champion, masters with gradients and moments, and the copy that a stage ends with. With
 * an adapter, and in the gate whatever was trained: champion, trained model and candidate as it was written.
 *
 * @param separateMasters whether the champion's published weights are not the ones that training goes on from
 */
record MemoryNeed(long parameters, ComputeType compute, boolean adapter, boolean separateMasters) {

    static MemoryNeed of(long parameters, RoundSettings settings) {
        return new MemoryNeed(
                parameters,
                settings.compute(),
                settings.adapter().lora().isPresent(),
                settings.published() != WeightType.FLOAT32);
    }

    long bytes() {
        long model = NativeMemory.ofModel(parameters, compute);
        long masters = separateMasters ? model : 0;
        long gate = 3 * model + masters;
        long training = 2 * model + NativeMemory.ofTraining(parameters, compute) + masters;
        return adapter ? gate : Math.max(gate, training);
    }

    /** Nothing where it fits. */
    Optional<String> refusal(String model, HostMemory.Available available) {
        if (bytes() <= available.bytes()) {
            return Optional.empty();
        }
        MemoryNeed withAdapter = new MemoryNeed(parameters, compute, true, separateMasters);
        return Optional.of(String.format(
                Locale.ROOT,
                "%s has %,d weights: %s needs %s for them before any activation, but there are %s (%s)."
                        + " Take a smaller base model (at most some %,d weights would fit)%s, give the process more memory, or"
                        + " say with trainer.memory-megabytes that it has it.",
                model,
                parameters,
                adapter ? "training an adapter" : "training all of them",
                mebibytes(bytes()),
                mebibytes(available.bytes()),
                available.source(),
                (long) (parameters * ((double) available.bytes() / bytes())),
                !adapter && withAdapter.bytes() <= available.bytes()
                        ? ", train an adapter instead (trainer.adapter.rank), which needs "
                                + mebibytes(withAdapter.bytes())
                        : ""));
    }

    static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%,d MiB", (bytes + (1 << 20) - 1) >> 20);
    }
}
