package io.tidemill.feedback.answer;

import java.util.List;

/** The port between the gateway and a version that tells which tokens stand behind masks. */
public non-sealed interface FillMaskEngine extends TextEngine {
    /** How a mask is written in a text. */
    String MASK = "[MASK]";

    @Override
    default Task task() {
        return Task.FILL_MASK;
    }

    /**
     * The likeliest tokens of each mask of the text, likeliest first, on the calling thread.
     *
     * @param most tokens for each mask
     */
    List<List<Guess>> fill(EncodedText text, int most);

    /**
     * One token that may stand behind a mask.
     *
     * @param probability among all tokens
     * @param token       its id
     * @param text        the token alone, as it is spelt
     * @param sequence    the whole text with it in its place; with special tokens where other masks are left
     */
    record Guess(double probability, int token, String text, String sequence) {}
}
