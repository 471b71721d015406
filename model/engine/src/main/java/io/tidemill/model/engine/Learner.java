package io.tidemill.model.engine;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** Weights that learn: a {@link DecoderLearner} or an {@link EncoderLearner}. Gradients add up until they are used. One thread owns it. */
public interface Learner extends AutoCloseable {
    /**
     * Scales all gradients together so that their L2 norm is at most {@code maximumNorm}.
     *
     * @return the norm before; if it is not finite, the gradients are to be discarded
     */
    double clip(double maximumNorm);

    /** One step of AdamW; the gradients are zero afterwards. */
    void update(double learningRate);

    /** Forgets the gradients, also those that are not numbers; weights and moments stay. */
    void discardGradients();

    /**
     * Whether a step computes each layer's activations a second time instead of keeping them all: less memory, more time,
     * the same gradients but for rounding. Off at first; may be changed between any two calls.
     */
    void recomputeActivations(boolean recompute);

    /**
     * Writes what learns, its moments and step count, exactly; flushed. Gradients are not part of it: save between steps.
     *
     * @return SHA-256 of the file in hexadecimal
     */
    String saveState(Path file);

    /**
     * As {@link #saveState}, while the learner goes on: what is written is the state of now, and whatever changes it next waits
     * until it has been read.
     *
     * @return what {@link #saveState} gives, when the file is flushed; fails with what {@link #saveState} would throw
     */
    default CompletableFuture<String> saveStateBehind(Path file) {
        return CompletableFuture.completedFuture(saveState(file));
    }

    /** Goes on where {@link #saveState} left off, bit for bit with the same thread count. */
    void loadState(Path file);

    @Override
    void close();
}
