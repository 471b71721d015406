package io.tidemill.model.engine;

/** Hears every token of an answer as soon as it is chosen, stop tokens excepted. */
@FunctionalInterface
public interface TokenListener {
    /**
     * Hears one token.
     *
     * @param logProbability of this token, nats, at temperature 1 with nothing cut off
     * @return false cancels; the token still belongs to the answer
     */
    boolean accept(int token, float logProbability);
}
