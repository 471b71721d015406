package io.tidemill.model.engine;

import java.util.Arrays;
import java.util.Optional;

/**
 * One answer.
 *
 * @param tokens           without prompt and without stop token
 * @param logProbabilities of each token, nats, at temperature 1 with nothing cut off: what the model itself thought,
 *                         whatever the sampling did to it
 * @param stop             the stop token that ended it, where one did
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; copying token ids would cost more than it guards
public record Generation(int[] tokens, float[] logProbabilities, FinishReason reason, Optional<Stop> stop) {
    /**
     * A stop token as it was drawn.
     *
     * @param logProbability as of any other token; nats
     */
    public record Stop(int token, float logProbability) {}

    /** The tokens, and the stop token after them where there is one: all that the model decided. */
    public int[] decided() {
        int[] all = Arrays.copyOf(tokens, tokens.length + (stop.isPresent() ? 1 : 0));
        stop.ifPresent(last -> all[tokens.length] = last.token());
        return all;
    }

    /** Log-probability of each of {@link #decided}; nats. */
    public float[] decidedLogProbabilities() {
        float[] all = Arrays.copyOf(logProbabilities, tokens.length + (stop.isPresent() ? 1 : 0));
        stop.ifPresent(last -> all[tokens.length] = last.logProbability());
        return all;
    }
}
