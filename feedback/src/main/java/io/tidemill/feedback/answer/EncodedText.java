package io.tidemill.feedback.answer;

/**
 * A text as an encoder reads it.
 *
 * @param ids       with special tokens, at most {@link Engine#contextTokens} of them
 * @param truncated whether the end of the text was cut off to fit
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record EncodedText(int[] ids, boolean truncated) {}
