package io.tidemill.feedback.answer;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.text.EncoderFrame;
import io.tidemill.model.text.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An encoder with a masked-language head as a {@link FillMaskEngine}, as transformers' fill-mask pipeline; but a text
 * that is too long is cut, and one of many masks refused.
 */
final class EncoderMaskFiller extends EncoderEngine implements FillMaskEngine {
    /** Of a text; each guess brings the whole text again. */
    private static final int MOST_MASKS = 16;

    private final int mask;

    EncoderMaskFiller(
            String version, EncoderModel model, Tokenizer tokenizer, EncoderFrame frame, int mask, int threads) {
        super(version, model, tokenizer, frame, threads);
        this.mask = mask;
    }

    @Override
    public EncodedText encode(String text) {
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        for (int at = text.indexOf(MASK); at >= 0; at = text.indexOf(MASK, from)) {
            addAll(ids, text.substring(from, at));
            ids.add(mask);
            from = at + MASK.length();
        }
        if (from == 0) {
            throw new IllegalArgumentException("it has no " + MASK);
        }
        addAll(ids, text.substring(from));
        EncodedText encoded = framed(ids.build().toArray());
        int masks = masks(encoded).length;
        if (masks > MOST_MASKS) {
            throw new IllegalArgumentException(
                    "it has " + masks + " " + MASK + ", of which at most " + MOST_MASKS + " are filled");
        }
        if (masks == 0) {
            throw new IllegalArgumentException(
                    "it has no " + MASK + " among the " + contextTokens() + " tokens that the model reads");
        }
        return encoded;
    }

    private void addAll(IntStream.Builder ids, String text) {
        for (int id : tokenizer().encode(text)) {
            ids.add(id);
        }
    }

    private int[] masks(EncodedText text) {
        return IntStream.range(0, text.ids().length)
                .filter(place -> text.ids()[place] == mask)
                .toArray();
    }

    @Override
    public List<List<Guess>> fill(EncodedText text, int most) {
        int[] masks = masks(text);
        float[][] logits = model().maskedLogits(input(text), masks);
        List<List<Guess>> guesses = new ArrayList<>();
        for (int i = 0; i < masks.length; i++) {
            guesses.add(guesses(text.ids(), masks[i], masks.length == 1, Probabilities.softmax(logits[i]), most));
        }
        return guesses;
    }

    private List<Guess> guesses(int[] ids, int place, boolean alone, double[] probabilities, int most) {
        // A model may have ids that its tokenizer does not spell.
        int spelt = Math.min(probabilities.length, tokenizer().vocabularySize());
        return IntStream.range(0, spelt)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer token) -> -probabilities[token])
                        .thenComparingInt(token -> token))
                .limit(most)
                .map(token -> {
                    int[] filled = ids.clone();
                    filled[place] = token;
                    return new Guess(
                            probabilities[token],
                            token,
                            tokenizer().decodeWithControls(new int[] {token}),
                            alone ? tokenizer().decode(filled) : tokenizer().decodeWithControls(filled));
                })
                .toList();
    }

    @Override
    public float[] probeLogits(int[] ids) {
        return model().maskedLogits(EncoderInput.of(ids), ids.length - 1)[0];
    }
}
