package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderInput;

/**
 * A text whose tokens may be masked.
 *
 * @param exampleId distinct among those of a stage
 * @param words     which word each token belongs to, in rising order; −1 for tokens that are never masked, as
 *                  {@code [CLS]}; {@code [T]}
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record MaskableText(String exampleId, EncoderInput input, int[] words) {
    public MaskableText {
        if (words.length != input.ids().length) {
            throw new IllegalArgumentException("Text " + exampleId + " has " + input.ids().length
                    + " tokens, but says of " + words.length + " which word they belong to");
        }
    }

    int length() {
        return words.length;
    }
}
