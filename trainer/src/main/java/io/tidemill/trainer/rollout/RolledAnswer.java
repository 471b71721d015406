package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.FinishReason;
import io.tidemill.trainer.reward.Judgement;
import java.util.OptionalDouble;

/**
 * An answer of the policy, with all that is known of it before anything is learned from it.
 *
 * @param tokens    its end of turn included where it wrote one
 * @param generated log-probability of each token as generation computed it; nats, {@code [tokens]}
 * @param sampled   the same as training computes it, with the same weights; nats, {@code [tokens]}
 * @param reference the same under the reference; {@code [tokens]}, empty without a reference
 * @param values    a critic's, before each token and after the last; {@code [tokens + 1]}, empty without a critic
 * @param heldOut   what a reward that is not trained on says of it
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record RolledAnswer(
        int[] tokens,
        double[] generated,
        double[] sampled,
        double[] reference,
        double[] values,
        FinishReason finish,
        Judgement judgement,
        OptionalDouble heldOut) {
    public RolledAnswer {
        int n = tokens.length;
        if (n == 0
                || generated.length != n
                || sampled.length != n
                || reference.length != 0 && reference.length != n
                || values.length != 0 && values.length != n + 1) {
            throw new IllegalArgumentException("An answer of " + n + " tokens has " + generated.length + " and "
                    + sampled.length + " log-probabilities, " + reference.length + " of the reference and "
                    + values.length + " values");
        }
    }

    public double reward() {
        return judgement.total();
    }

    /** Whether it was cut off. */
    public boolean truncated() {
        return finish != FinishReason.STOP;
    }
}
