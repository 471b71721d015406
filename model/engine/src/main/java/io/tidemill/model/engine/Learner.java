package io.tidemill.model.engine;

import java.nio.file.Path;
import java.util.List;

/** A decoder that learns: {@link TrainableModel} with all its weights, {@link TrainableAdapter} in an adapter. One thread owns it. */
public interface Learner extends AutoCloseable {
    /**
     * Adds the gradient of (sum of this batch's token losses / {@code lossTokensOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per token
     */
    double accumulate(PackedBatch batch, long lossTokensOfStep);

    /**
     * Adds the gradient of direct preference optimisation.
     *
     * <pre>  Σ weight·(−log σ(β·m) + s·NLL(chosen)/|chosen|) / W
     *   m = (log π(chosen) − log ref(chosen)) − (log π(rejected) − log ref(rejected))  </pre>
     *
     * <p>Source: Rafailov et al. (2023), arXiv:2305.18290, equation 7; the term with s as in Pang et al. (2024),
     * arXiv:2404.19733, equation 2. Differs: a weight per pair, and W, the weight of the whole step, instead of a mean.
     *
     * @param beta             β; 0.1 is usual
     * @param weightOfStep     W, the sum of the weights of all pairs of this optimizer step
     * @param supervisedWeight s; 0 leaves the term out
     */
    DpoResult accumulate(List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight);

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
     */
    void saveState(Path file);

    /** Goes on where {@link #saveState} left off, bit for bit with the same thread count. */
    void loadState(Path file);

    @Override
    void close();
}
