package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.LabelledText;
import java.util.List;
import java.util.OptionalInt;
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

    /**
     * Where a label stands among the model's: by its name, or by its number, as data sets with class labels have it. Empty
     * where it is none of them.
     */
    public static OptionalInt index(List<String> labels, String label) {
        int index = labels.indexOf(label);
        if (index < 0 && label.matches("\\d{1,9}") && Integer.parseInt(label) < labels.size()) {
            index = Integer.parseInt(label);
        }
        return index < 0 ? OptionalInt.empty() : OptionalInt.of(index);
    }

    int length() {
        return text.input().ids().length;
    }
}
