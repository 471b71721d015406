package io.tidemill.trainer.objective;

/**
 * What is known of an answer that was rated alone.
 *
 * @param desirable whether it was liked
 * @param weight    among other answers; an ordinary one weighs 1
 * @param reference log-probability under the reference, summed; nats
 */
public record RatedAnswer(boolean desirable, double weight, double reference) {
    public RatedAnswer {
        if (!Double.isFinite(reference) || !(weight >= 0) || Double.isInfinite(weight)) {
            throw new IllegalArgumentException(
                    "The reference's log-probability must be finite and weight 0 or more, but" + " they were "
                            + reference + " and " + weight);
        }
    }
}
