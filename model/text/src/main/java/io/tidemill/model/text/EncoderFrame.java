package io.tidemill.model.text;

/** What a BERT reads around a text: {@code [CLS] a [SEP]}, cut at the end to the longest input. */
public final class EncoderFrame {
    private static final int AROUND = 2;

    private final int first;
    private final int separator;
    private final int maximumLength;

    /**
     * The frame of one vocabulary.
     *
     * @param maximumLength tokens of an input, those around the text included, at least 3
     * @throws IllegalArgumentException if the vocabulary has no such tokens
     */
    public EncoderFrame(Tokenizer tokenizer, int maximumLength) {
        if (maximumLength <= AROUND) {
            throw new IllegalArgumentException(
                    "An input has 3 tokens at least, but the longest was to be " + maximumLength);
        }
        this.first = id(tokenizer, "[CLS]");
        this.separator = id(tokenizer, "[SEP]");
        this.maximumLength = maximumLength;
    }

    /** The id of one of BERT's own tokens. */
    public static int id(Tokenizer tokenizer, String token) {
        return tokenizer
                .id(token)
                .orElseThrow(() -> new IllegalArgumentException(
                        "The tokenizer has no token " + token + "; encoders need one of BERT's kind"));
    }

    /** Whether a text of so many tokens is longer than an input has room for. */
    public boolean cuts(int tokens) {
        return tokens > maximumLength - AROUND;
    }

    /** The input that the ids of a text make. */
    public int[] around(int[] ids) {
        int kept = Math.min(ids.length, maximumLength - AROUND);
        int[] input = new int[kept + AROUND];
        input[0] = first;
        System.arraycopy(ids, 0, input, 1, kept);
        input[kept + 1] = separator;
        return input;
    }
}
