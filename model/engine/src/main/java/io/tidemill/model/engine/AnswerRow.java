package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/** One answer while it is written: what came before, how it is drawn, and what there is of it. */
final class AnswerRow {
    private final int[] prompt;
    private final Sampling sampling;
    private final TokenListener listener;
    private final GaussianSource random;
    private final List<Double> chances = new ArrayList<>(); // drawn and not yet used
    private final int[] tokens;
    private final float[] logProbabilities;
    private int count;
    private FinishReason reason;
    private Generation.Stop stop; // null unless one has ended it
    private RuntimeException failure;

    /**
     * An answer without a token.
     *
     * @param prompt at least one token and fewer than the model has positions
     */
    AnswerRow(ModelConfig config, int[] prompt, Sampling sampling, TokenListener listener) {
        Batches.check(config, prompt);
        int room = Math.min(sampling.maxTokens(), config.maxPositions() - prompt.length);
        if (room < 1) {
            throw new IllegalArgumentException("A prompt of " + prompt.length
                    + " tokens leaves no position for an answer in a model of " + config.maxPositions());
        }
        this.prompt = prompt;
        this.sampling = sampling;
        this.listener = listener;
        this.random = new GaussianSource(sampling.seed());
        this.tokens = new int[room];
        this.logProbabilities = new float[room];
    }

    int[] prompt() {
        return prompt;
    }

    // ---- for the next call ------------------------------------------------------------------------------------------

    /** Tokens that may still come. */
    int room() {
        return tokens.length - count;
    }

    /** Tokens whose keys and values are in the cache: all but the last. */
    int filled() {
        return prompt.length + count - 1;
    }

    /** The token that the next one follows. */
    int last() {
        return count > 0 ? tokens[count - 1] : prompt[prompt.length - 1];
    }

    /** What picks the i-th token from here; the same number goes to the same token however calls are cut. */
    double chance(int i) {
        while (chances.size() <= i) {
            chances.add(random.uniform());
        }
        return chances.get(i);
    }

    /** Temperature, top_k, top_p, min_p, penalty: a row of the program's settings. */
    double[] settings() {
        return new double[] {
            sampling.temperature(), sampling.topK(), sampling.topP(), sampling.minP(), sampling.repetitionPenalty()
        };
    }

    /** The program's kind: 0 takes the likeliest token, 1 draws from all, 2 draws from some; 3 would be rows of several kinds. */
    int kind() {
        if (sampling.temperature() == 0) {
            return 0;
        }
        return sampling.topK() == 0 && sampling.topP() == 1 && sampling.minP() == 0 ? 1 : 2;
    }

    boolean penalises() {
        return sampling.repetitionPenalty() != 1;
    }

    LongStream stops() {
        return sampling.stopTokens().stream().mapToLong(Integer::longValue);
    }

    // ---- what came of it --------------------------------------------------------------------------------------------

    void hear(int token, float logProbability) {
        chances.remove(0);
        if (sampling.stopTokens().contains(token)) {
            reason = FinishReason.STOP;
            stop = new Generation.Stop(token, logProbability);
            return;
        }
        tokens[count] = token;
        logProbabilities[count] = logProbability;
        count++;
        boolean more = false;
        try {
            more = listener.accept(token, logProbability);
        } catch (RuntimeException e) {
            failure = e;
        }
        if (!more) {
            reason = FinishReason.CANCELLED;
        } else if (count == tokens.length) {
            reason = FinishReason.LENGTH;
        }
    }

    boolean ended() {
        return reason != null;
    }

    /** The answer's first tokens, which another thread may be lengthening. */
    Generation cancelledAfter(int heard) {
        return new Generation(
                Arrays.copyOf(tokens, heard),
                Arrays.copyOf(logProbabilities, heard),
                FinishReason.CANCELLED,
                Optional.empty());
    }

    /** The whole answer; what the listener threw is thrown here. */
    Generation result() {
        if (failure != null) {
            throw failure;
        }
        return new Generation(
                Arrays.copyOf(tokens, count),
                Arrays.copyOf(logProbabilities, count),
                reason,
                Optional.ofNullable(stop));
    }
}
