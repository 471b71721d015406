package io.tidemill.feedback.answer;

/**
 * What the model said.
 *
 * @param text             the answer without control tokens and without the stop text
 * @param tail             end of {@code text} that no piece has brought, because it was held back to the end
 * @param tokens           sampled tokens {@code [T]}, without what belongs to a stop text
 * @param logProbabilities of each of them as sampled {@code [T]}; nats
 */
public record Answer(String text, String tail, int[] tokens, float[] logProbabilities, Finish finish) {
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
