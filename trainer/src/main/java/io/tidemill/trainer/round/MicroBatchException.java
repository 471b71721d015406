package io.tidemill.trainer.round;

import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.trainer.round.MicroBatch.Part;

/** There was no memory for one call of a round. */
final class MicroBatchException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Part part;
    private final int longest;

    /**
     * @param longest tokens of the longest row, pair or text: what a call has at least
     * @param where   and with how many bytes asked for
     */
    MicroBatchException(Part part, int longest, String where, NativeMemoryException cause) {
        super(where, cause);
        this.part = part;
        this.longest = longest;
    }

    Part part() {
        return part;
    }

    int longest() {
        return longest;
    }
}
