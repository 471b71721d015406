package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.text.EncoderFrame;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.data.Hashes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Which tokens are to be guessed, and what stands in their place. Each token is chosen with {@code probability}; of those
 * chosen, a share becomes the mask, a share any token of the vocabulary, and the rest stays. Or whole words are chosen, by
 * their first token, and become masks all of them.
 *
 * <p>Source: Devlin et al., "BERT" (2019), section 3.1, arXiv:1810.04805. Behaves as {@code DataCollatorForLanguageModeling}
 * of transformers 5.18, whole words too: there whole words never become other tokens, and their share of masked tokens is
 * larger or smaller than {@code probability} only by chance. Differs: what is drawn depends on seed, example and epoch
 * alone, so that a run that goes on, or sees its examples in another order, masks the same.
 *
 * @param probability of a token, or of a word, in [0, 1]
 * @param maskShare   of the chosen, that become the mask; with whole words always 1
 * @param randomShare of the chosen, that become any token of the vocabulary, special ones too; with whole words always 0
 * @param maskToken   id of {@code [MASK]}
 */
public record Masking(
        double probability,
        double maskShare,
        double randomShare,
        boolean wholeWords,
        int maskToken,
        int vocabularySize) {
    public Masking {
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("The probability of a mask must be in [0, 1], but was " + probability);
        }
        if (!(maskShare >= 0 && randomShare >= 0 && maskShare + randomShare <= 1)) {
            throw new IllegalArgumentException(
                    "The shares of masks and of random tokens must be 0 or more and together at most 1, but were "
                            + maskShare + " and " + randomShare);
        }
        if (wholeWords && (maskShare != 1 || randomShare != 0)) {
            throw new IllegalArgumentException("Whole words become masks, always; the shares of masks and of random"
                    + " tokens must be 1 and 0, but were " + maskShare + " and " + randomShare);
        }
        if (maskToken < 0 || maskToken >= vocabularySize) {
            throw new IllegalArgumentException(
                    "The mask is token " + maskToken + ", which is not in a vocabulary of " + vocabularySize);
        }
    }

    /** 15 % of the tokens, of these 80 % masks and 10 % random. */
    public static Masking ofTokens(Tokenizer tokenizer) {
        return new Masking(0.15, 0.8, 0.1, false, mask(tokenizer), tokenizer.vocabularySize());
    }

    /** 15 % of the words, all of them masks. */
    public static Masking ofWords(Tokenizer tokenizer) {
        return new Masking(0.15, 1, 0, true, mask(tokenizer), tokenizer.vocabularySize());
    }

    private static int mask(Tokenizer tokenizer) {
        return EncoderFrame.id(tokenizer, "[MASK]");
    }

    /** The same with another probability. */
    public Masking with(double other) {
        return new Masking(other, maskShare, randomShare, wholeWords, maskToken, vocabularySize);
    }

    /** The text as an epoch sees it. It may have nothing to guess. */
    public MaskedText mask(MaskableText text, long seed, int epoch) {
        Draws draws = new Draws(key(text.exampleId(), seed, epoch));
        int[] ids = text.input().ids().clone();
        int[] targets = new int[ids.length];
        Arrays.fill(targets, PackedBatch.IGNORED);
        boolean chosen = false;
        for (int t = 0; t < ids.length; t++) {
            if (text.words()[t] < 0) {
                continue;
            }
            boolean same = wholeWords && t > 0 && text.words()[t] == text.words()[t - 1];
            chosen = same ? chosen : draws.next() < probability;
            if (chosen) {
                targets[t] = ids[t];
                ids[t] = replaced(ids[t], draws);
            }
        }
        return new MaskedText(new EncoderInput(ids, text.input().types()), targets);
    }

    private int replaced(int id, Draws draws) {
        double draw = draws.next();
        if (draw < maskShare) {
            return maskToken;
        }
        return draw < maskShare + randomShare ? (int) (draws.next() * vocabularySize) : id;
    }

    private static long key(String exampleId, long seed, int epoch) {
        byte[] numbers = ByteBuffer.allocate(Long.BYTES + Integer.BYTES)
                .putLong(seed)
                .putInt(epoch)
                .array();
        return Hashes.longAt(Hashes.sha256(numbers, exampleId.getBytes(StandardCharsets.UTF_8)), 0);
    }
}
