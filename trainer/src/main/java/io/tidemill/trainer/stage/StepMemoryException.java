package io.tidemill.trainer.stage;

import io.tidemill.model.engine.NativeMemoryException;

/** There was no memory for the activations of a step. Weights are those of the step before, gradients are discarded. */
public final class StepMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StepMemoryException(String stage, long step, NativeMemoryException cause) {
        super("Step " + step + " of stage " + stage + ": " + cause.getMessage(), cause);
    }
}
