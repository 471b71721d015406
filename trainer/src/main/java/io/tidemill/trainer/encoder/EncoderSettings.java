package io.tidemill.trainer.encoder;

import io.tidemill.trainer.stage.OptimizerSettings;

/**
 * Training of an encoder.
 *
 * @param texts  of a step
 * @param rows   texts that go through the model in one call, at most
 * @param epochs how often each text is seen
 */
public record EncoderSettings(OptimizerSettings optimizer, int texts, int rows, int epochs) {
    public EncoderSettings {
        if (texts < 1 || rows < 1 || epochs < 1) {
            throw new IllegalArgumentException(
                    "texts, rows and epochs must be at least 1, but were " + texts + ", " + rows + " and " + epochs);
        }
    }
}
