package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * Writes answers token by token. Keys and values of earlier tokens are kept, so a token costs one pass over the
 * weights, and answers written together share it. Several threads may generate with one generator, each for itself.
 *
 * @see SharedGenerator
 */
public final class Generator {
    /** Tokens per call into the program: the first at once, for the reader; then more, because calls cost time. */
    static final int TOKENS_PER_CALL = 8;

    private final LanguageModel model;

    public Generator(LanguageModel model) {
        this.model = model;
    }

    /**
     * Answers one prompt, alone: the same seed gives the same answer.
     *
     * @param prompt at least one token and fewer than the model has positions
     * @return ends with LENGTH after {@code maxTokens} or when the model's positions are used up
     */
    public Generation generate(int[] prompt, Sampling sampling, TokenListener listener) {
        AnswerRow row = new AnswerRow(model.config(), prompt, sampling, listener);
        try (AnswerBatch batch = new AnswerBatch(model)) {
            batch.add(row);
            int tokens = 1;
            while (batch.size() > 0) {
                batch.write(tokens);
                tokens = Math.min(TOKENS_PER_CALL, 2 * tokens);
            }
        }
        return row.result();
    }

    /**
     * One of many prompts, and how its answer is drawn.
     *
     * @param prompt at least one token and fewer than the model has positions
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    public record Asked(int[] prompt, Sampling sampling) {}

    /**
     * Answers many prompts, several at once, answer i drawn with {@code seed + i}; {@link #generate(List, int)}.
     *
     * @param atOnce answers that share a pass over the weights
     * @return in the order of the prompts
     */
    public List<Generation> generate(List<int[]> prompts, Sampling sampling, int atOnce) {
        List<Asked> asked = new ArrayList<>();
        for (int[] prompt : prompts) {
            asked.add(new Asked(prompt, sampling.withSeed(sampling.seed() + asked.size())));
        }
        return generate(asked, atOnce);
    }

    /**
     * Answers many prompts, several at once; as soon as one has its answer, the next takes its place. The same prompts,
     * sampling and {@code atOnce} give the same answers; with another {@code atOnce} sums are rounded otherwise, and an
     * answer may take another turn where two tokens are nearly as likely.
     *
     * @param atOnce answers that share a pass over the weights
     * @return in the order of the prompts
     */
    public List<Generation> generate(List<Asked> asked, int atOnce) {
        if (atOnce < 1) {
            throw new IllegalArgumentException("atOnce must be at least 1, but was " + atOnce);
        }
        List<AnswerRow> rows = asked.stream()
                .map(one ->
                        new AnswerRow(model.config(), one.prompt(), one.sampling(), (token, logProbability) -> true))
                .toList();
        try (AnswerBatch batch = new AnswerBatch(model)) {
            int next = 0;
            while (next < rows.size() || batch.size() > 0) {
                while (next < rows.size() && batch.size() < atOnce) {
                    batch.add(rows.get(next++));
                }
                batch.write(TOKENS_PER_CALL);
            }
        }
        return rows.stream().map(AnswerRow::result).toList();
    }
}
