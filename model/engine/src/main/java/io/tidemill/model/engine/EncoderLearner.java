package io.tidemill.model.engine;

import java.util.List;

/** An encoder that learns: {@link TrainableEncoder} with all its weights, {@link TrainableEncoderAdapter} in an adapter. */
public interface EncoderLearner extends Learner {
    /** Of the model that it is, or that the adapter is on. */
    EncoderConfig config();

    /**
     * Adds the gradient of (sum of −log p over this batch's masked tokens / {@code lossTokensOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per masked token
     */
    double accumulateMasked(List<MaskedText> batch, long lossTokensOfStep);

    /**
     * Adds the gradient of the loss that {@link LabelWeights} has for the model's {@link EncoderConfig.Problem}.
     *
     * @param divisorOfStep {@link LabelWeights#of} of all texts of the step
     */
    LabelResult accumulateLabelled(List<LabelledText> batch, LabelWeights weights, double divisorOfStep);

    /** Logits under the weights as they are: {@code [inputs][labels]}. */
    float[][] labelLogits(List<EncoderInput> inputs);

    /** Sum of −log p over each text's masked tokens under the weights as they are: {@code [texts]}; nats. */
    double[] maskedLosses(List<MaskedText> texts);
}
