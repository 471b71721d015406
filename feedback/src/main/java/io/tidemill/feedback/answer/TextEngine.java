package io.tidemill.feedback.answer;

/** A version that reads whole texts: an encoder. */
public sealed interface TextEngine extends Engine permits ClassifierEngine, FillMaskEngine {
    /**
     * The text as the model reads it.
     *
     * @throws IllegalArgumentException if it cannot be read; says why
     */
    EncodedText encode(String text);
}
