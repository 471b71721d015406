package io.tidemill.model.engine;

/**
 * A text some of whose tokens are to be guessed.
 *
 * @param input   with the masked tokens replaced
 * @param targets what stood there, {@link PackedBatch#IGNORED} elsewhere; {@code [T]}
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record MaskedText(EncoderInput input, int[] targets) {
    public MaskedText {
        if (targets.length != input.ids().length) {
            throw new IllegalArgumentException(
                    "A text of " + input.ids().length + " tokens has " + targets.length + " targets");
        }
    }

    /** Tokens to guess. */
    public long lossTokens() {
        long count = 0;
        for (int target : targets) {
            count += target == PackedBatch.IGNORED ? 0 : 1;
        }
        return count;
    }
}
