package io.tidemill.model.engine;

/**
 * One text for an encoder, special tokens included; or two, one behind the other.
 *
 * @param ids   token ids {@code [T]}
 * @param types 0 for tokens of the first text, 1 for those of the second; {@code [T]}
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record EncoderInput(int[] ids, int[] types) {
    public EncoderInput {
        if (ids.length == 0 || ids.length != types.length) {
            throw new IllegalArgumentException("An input needs at least one token and a type for each, but has "
                    + ids.length + " and " + types.length);
        }
    }

    /** A single text. */
    public static EncoderInput of(int... ids) {
        return new EncoderInput(ids, new int[ids.length]);
    }
}
