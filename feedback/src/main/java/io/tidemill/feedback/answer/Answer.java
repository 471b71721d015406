package io.tidemill.feedback.answer;

import java.util.Optional;

/**
 * What the model said.
 *
 * @param text             the answer without control tokens and without the stop text
 * @param tail             end of {@code text} that no piece has brought, because it was held back to the end
 * @param tokens           sampled tokens {@code [T]}, without what belongs to a stop text and without the {@code end}
 * @param logProbabilities of each of them {@code [T]}, at temperature 1 with nothing cut off; nats
 * @param end              the token by which the model itself ended the answer; empty where it was cut
 */
public record Answer(
        String text, String tail, int[] tokens, float[] logProbabilities, Optional<End> end, Finish finish) {
    /**
     * The stop token that was drawn. No client sees it, but an answer is learned with its end.
     *
     * @param logProbability as of any other token; nats
     */
    public record End(int token, float logProbability) {}

    /** Why it ended. */
    public enum Finish {
        STOP("stop"),
        LENGTH("length"),
        CANCELLED("cancelled");

        private final String reason;

        Finish(String reason) {
            this.reason = reason;
        }

        /** The word that OpenAI's interface uses. */
        public String reason() {
            return reason;
        }
    }
}
