package io.tidemill.trainer.stage;

/**
 * Pretraining or fine-tuning over packed token sequences.
 *
 * @param rows         rows of a micro-batch
 * @param length       positions of a row; the model's context where that is shorter
 * @param microBatches micro-batches a step
 * @param epochs       how often each example is seen
 */
public record SequenceSettings(OptimizerSettings optimizer, int rows, int length, int microBatches, int epochs) {
    public SequenceSettings {
        if (rows < 1 || length < 2 || microBatches < 1 || epochs < 1) {
            throw new IllegalArgumentException(
                    "rows, micro-batches and epochs must be at least 1 and length at least 2, but were " + rows + ", "
                            + microBatches + ", " + epochs + " and " + length);
        }
    }
}
