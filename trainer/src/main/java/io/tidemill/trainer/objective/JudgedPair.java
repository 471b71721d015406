package io.tidemill.trainer.objective;

/**
 * What is known of a pair beside its tokens.
 *
 * @param weight            among other pairs; an ordinary pair weighs 1
 * @param referenceChosen   log-probability of the chosen answer under the reference, summed; nats. 0 where none is needed
 * @param referenceRejected the same of the rejected one
 * @param margin            by how much the chosen one is better, for reward models; 0 where nobody said
 */
public record JudgedPair(double weight, double referenceChosen, double referenceRejected, double margin) {
    public JudgedPair {
        if (!Double.isFinite(referenceChosen) || !Double.isFinite(referenceRejected)) {
            throw new IllegalArgumentException("Reference log-probabilities must be finite, but are " + referenceChosen
                    + " and " + referenceRejected);
        }
        if (!(weight >= 0) || Double.isInfinite(weight) || !Double.isFinite(margin)) {
            throw new IllegalArgumentException("weight must be 0 or more and finite, and margin finite, but they were "
                    + weight + " and " + margin);
        }
    }
}
