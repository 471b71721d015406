package io.tidemill.model.engine;

import ai.djl.pytorch.engine.PtNDManager;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * Writes answers token by token. Keys and values of earlier tokens are kept, so a token costs one pass over the
 * weights. Several threads may generate with one generator; each answer has its own cache.
 */
public final class Generator {
    /** Tokens per call into the program: the first at once, for the reader; then more, because calls cost time. */
    private static final int TOKENS_PER_CALL = 8;

    private final LanguageModel model;

    public Generator(LanguageModel model) {
        this.model = model;
    }

    /**
     * Answers one prompt.
     *
     * @param prompt at least one token and fewer than the model has positions
     * @return ends with LENGTH after {@code maxTokens} or when the model's positions are used up
     */
    public Generation generate(int[] prompt, Sampling sampling, TokenListener listener) {
        ModelConfig config = model.config();
        Batches.check(config, prompt);
        int room = Math.min(sampling.maxTokens(), config.maxPositions() - prompt.length);
        if (room < 1) {
            throw new IllegalArgumentException("A prompt of " + prompt.length
                    + " tokens leaves no position for an answer" + " in a model of " + config.maxPositions());
        }
        try (PtNDManager owner = TorchProgram.open()) {
            TorchProgram.Opaque cache = cache(owner, prompt.length + room);
            return new Answer(prompt, sampling, listener, cache, room).write();
        }
    }

    private TorchProgram.Opaque cache(PtNDManager owner, int positions) {
        try (PtNDManager step = TorchProgram.open()) {
            return model.program().make(owner, "new_cache", model.compute(), step.create((long) positions));
        }
    }

    private final class Answer {
        private final Sampling sampling;
        private final TokenListener listener;
        private final TorchProgram.Opaque cache;
        private final GaussianSource random;
        private final long[] stops;
        private final int[] tokens;
        private final float[] logProbabilities;
        private long[] pending;
        private int position;
        private int count;

        Answer(int[] prompt, Sampling sampling, TokenListener listener, TorchProgram.Opaque cache, int room) {
            this.sampling = sampling;
            this.listener = listener;
            this.cache = cache;
            this.random = new GaussianSource(sampling.seed());
            this.stops = sampling.stopTokens().stream()
                    .mapToLong(Integer::longValue)
                    .sorted()
                    .toArray();
            this.tokens = new int[room];
            this.logProbabilities = new float[room];
            this.pending = Arrays.stream(prompt).asLongStream().toArray();
        }

        Generation write() {
            int chunk = 1;
            while (count < tokens.length) {
                double[] made = call(Math.min(chunk, tokens.length - count));
                for (int i = 0; i < made.length / 2; i++) {
                    int token = (int) made[i];
                    if (sampling.stopTokens().contains(token)) {
                        return end(FinishReason.STOP);
                    }
                    tokens[count] = token;
                    logProbabilities[count] = (float) made[made.length / 2 + i];
                    count++;
                    if (!listener.accept(token, logProbabilities[count - 1])) {
                        return end(FinishReason.CANCELLED);
                    }
                }
                chunk = Math.min(TOKENS_PER_CALL, 2 * chunk);
            }
            return end(FinishReason.LENGTH);
        }

        /** Tokens, then their log-probabilities. */
        private double[] call(int atMost) {
            try (PtNDManager step = TorchProgram.open()) {
                double[] chances = new double[atMost];
                Arrays.setAll(chances, i -> random.uniform());
                double[] made = model.program()
                        .infer(
                                step,
                                "generate",
                                model.master().array(),
                                model.compute(),
                                cache,
                                step.create(pending),
                                position,
                                step.create(chances),
                                sampling.temperature(),
                                sampling.topP(),
                                sampling.topK(),
                                stops)
                        .get(0)
                        .toDoubleArray();
                int n = made.length / 2;
                position += pending.length + n - 1; // the last token is chosen but not yet in the cache
                pending = LongStream.of((long) made[n - 1]).toArray();
                return made;
            }
        }

        private Generation end(FinishReason reason) {
            return new Generation(Arrays.copyOf(tokens, count), Arrays.copyOf(logProbabilities, count), reason);
        }
    }
}
