package io.tidemill.model.engine;

import java.util.List;

/** An encoder that learns. */
public interface EncoderLearner extends Learner {
    /**
     * Adds the gradient of (sum of −log p over this batch's masked tokens / {@code lossTokensOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per masked token
     */
    double accumulateMasked(List<MaskedText> batch, long lossTokensOfStep);
}
