package io.tidemill.feedback.testing;

import io.tidemill.feedback.answer.EncodedText;
import io.tidemill.feedback.answer.FillMaskEngine;
import java.util.List;
import java.util.stream.IntStream;

/** Guesses "word1", "word2" and so on, each half as likely as the one before, for the one mask of any text. */
public record FakeMaskFiller(String version, float... logits) implements FillMaskEngine {
    @Override
    public int contextTokens() {
        return 512;
    }

    @Override
    public long parameters() {
        return 44;
    }

    @Override
    public EncodedText encode(String text) {
        if (!text.contains(MASK)) {
            throw new IllegalArgumentException("it has no " + MASK);
        }
        return new EncodedText(text.chars().toArray(), false);
    }

    @Override
    public List<List<Guess>> fill(EncodedText text, int most) {
        String read = new String(text.ids(), 0, text.ids().length);
        return List.of(IntStream.rangeClosed(1, most)
                .mapToObj(i -> new Guess(Math.pow(0.5, i), i, "word" + i, read.replace(MASK, "word" + i)))
                .toList());
    }

    @Override
    public float[] probeLogits(int[] ids) {
        return logits.clone();
    }

    @Override
    public void close() {}
}
