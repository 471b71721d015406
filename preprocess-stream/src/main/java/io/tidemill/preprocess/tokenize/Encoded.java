package io.tidemill.preprocess.tokenize;

import java.util.Arrays;

/**
 * Text as ids.
 *
 * @param ids       token ids
 * @param lossMask  one byte a token, 1 where it is learned; empty means all of them
 * @param textBytes bytes of the UTF-8 text behind the ids
 */
@SuppressWarnings("ArrayRecordComponent") // handed from the tokenizer to the message, never compared
public record Encoded(int[] ids, byte[] lossMask, long textBytes) {
    public Encoded {
        if (lossMask.length != 0 && lossMask.length != ids.length) {
            throw new IllegalArgumentException("lossMask must be empty or as long as ids, which is " + ids.length
                    + ", but was " + lossMask.length);
        }
    }

    /** Tokens that are learned. */
    public int learned() {
        if (lossMask.length == 0) {
            return ids.length;
        }
        int learned = 0;
        for (byte mask : lossMask) {
            learned += mask;
        }
        return learned;
    }

    /** The same with one more id at the end, learned like the rest. */
    Encoded endedBy(int id) {
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = id;
        return new Encoded(ended, lossMask, textBytes);
    }
}
