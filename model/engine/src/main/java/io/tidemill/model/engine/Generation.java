package io.tidemill.model.engine;

/**
 * One answer.
 *
 * @param tokens           without prompt and without stop token
 * @param logProbabilities of each token, nats, at temperature 1 with nothing cut off: what the model itself thought,
 *                         whatever the sampling did to it
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; copying token ids would cost more than it guards
public record Generation(int[] tokens, float[] logProbabilities, FinishReason reason) {}
