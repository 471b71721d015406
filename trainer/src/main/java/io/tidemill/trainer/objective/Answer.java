package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;

/**
 * One answer as objectives over whole answers see it.
 *
 * @param logProbability log π(answer | prompt), summed over its tokens; nats
 * @param reference      the same under the reference; nats
 * @param tokens         at least 1
 */
record Answer(double logProbability, double reference, int tokens) {
    /** @param reference log-probability under the reference, summed; nats */
    static Answer of(AnswerCall call, int f, int a, double reference) {
        int tokens = call.logProbabilities(f, a).length;
        if (tokens == 0) {
            throw new IllegalArgumentException("Answer " + a + " of text " + f + " has no log-probabilities. This"
                    + " objective needs a model with a head over the vocabulary");
        }
        return new Answer(call.logProbability(f, a), reference, tokens);
    }

    /** log π − log reference; nats. */
    double logRatio() {
        return logProbability - reference;
    }

    /** log π per token; nats. */
    double mean() {
        return logProbability / tokens;
    }
}
