package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.LabelledText;
import java.util.Set;

/**
 * A labelled text as an encoder reads it.
 *
 * @param exampleId distinct among those of a stage
 */
public record EncoderExample(String exampleId, LabelledText text) {
    /** With its right labels, indices into the model's. */
    public static EncoderExample of(String exampleId, EncoderInput input, Set<Integer> labels) {
        return new EncoderExample(exampleId, LabelledText.of(input, labels));
    }

    /** With a score. */
    public static EncoderExample scored(String exampleId, EncoderInput input, double score) {
        return new EncoderExample(exampleId, LabelledText.scored(input, score));
    }

    int length() {
        return text.input().ids().length;
    }
}
