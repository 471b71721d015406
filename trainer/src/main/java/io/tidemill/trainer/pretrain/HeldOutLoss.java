package io.tidemill.trainer.pretrain;

/**
 * How well a model predicts text that it never saw.
 *
 * @param nats   summed over all predicted tokens
 * @param tokens predicted
 * @param bytes  of the UTF-8 text behind the tokens, so that vocabularies can be compared
 */
public record HeldOutLoss(double nats, long tokens, long bytes) {

    public double natsPerToken() {
        return nats / tokens;
    }

    public double natsPerByte() {
        return nats / bytes;
    }
}
