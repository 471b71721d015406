package io.tidemill.model.engine;

/**
 * Two answers to one prompt, tokenized, and which one people liked better. The loss is on answer tokens only.
 *
 * @param referenceChosen   log-probability of the chosen answer under the reference model, summed; nats
 * @param referenceRejected the same of the rejected answer; nats
 * @param weight            of this pair among others; an ordinary pair weighs 1
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; copying token ids would cost more than it guards
public record PreferencePair(
        int[] prompt, int[] chosen, int[] rejected, double referenceChosen, double referenceRejected, double weight) {
    public PreferencePair {
        if (prompt.length == 0 || chosen.length == 0 || rejected.length == 0) {
            throw new IllegalArgumentException("A pair needs prompt and two answers of at least one token, but has "
                    + prompt.length + ", " + chosen.length + " and " + rejected.length + " tokens");
        }
        if (!Double.isFinite(referenceChosen) || !Double.isFinite(referenceRejected)) {
            throw new IllegalArgumentException("Reference log-probabilities must be finite, but are " + referenceChosen
                    + " and " + referenceRejected);
        }
        if (!(weight >= 0) || Double.isInfinite(weight)) {
            throw new IllegalArgumentException("weight must be 0 or more and finite, but was " + weight);
        }
    }
}
