package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;

/** Token ids on their way into native memory. */
final class Batches {
    private Batches() {}

    /** int64 {@code [B, T]}. */
    static NDArray tensor(PtNDManager step, int[][] rows) {
        int length = rows[0].length;
        long[] flat = new long[rows.length * length];
        for (int row = 0; row < rows.length; row++) {
            for (int t = 0; t < length; t++) {
                flat[row * length + t] = rows[row][t];
            }
        }
        return step.create(flat, new Shape(rows.length, length));
    }

    /** Stands for segments where every row holds one example from its start, and for an adapter where there is none. */
    static NDArray none(PtNDManager step) {
        return step.create(new long[0], new Shape(0));
    }

    static void check(ModelConfig config, int[] sequence) {
        if (sequence.length == 0) {
            throw new IllegalArgumentException("A sequence needs at least one token");
        }
        if (sequence.length > config.maxPositions()) {
            throw new IllegalArgumentException("A sequence of " + sequence.length
                    + " tokens is longer than the model's " + config.maxPositions() + " positions");
        }
        for (int id : sequence) {
            checkId(config, id);
        }
    }

    static void checkId(ModelConfig config, int id) {
        if (id < 0 || id >= config.vocabularySize()) {
            throw new IllegalArgumentException(
                    "Token id " + id + " is not in a vocabulary of " + config.vocabularySize());
        }
    }
}
