package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.trainer.data.LabelledSequence;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Labelled texts of the log as a model with these labels learns them. */
public record LabelReader(EncoderConfig config, EncoderText texts) {
    /** Empty where its labels, or its score, are not what the model is for. */
    public Optional<EncoderExample> read(LabelledSequence text) {
        EncoderInput input = texts.input(text.ids());
        if (config.problem() == Problem.SCORE) {
            return text.score().isPresent()
                    ? Optional.of(EncoderExample.scored(
                            text.exampleId(), input, text.score().getAsDouble()))
                    : Optional.empty();
        }
        Set<Integer> right = new HashSet<>();
        for (String label : text.labels()) {
            OptionalInt index = EncoderExample.index(config.labels(), label);
            if (index.isEmpty()) {
                return Optional.empty();
            }
            right.add(index.getAsInt());
        }
        boolean fits = config.problem() == Problem.SINGLE ? right.size() == 1 : !right.isEmpty();
        return fits ? Optional.of(EncoderExample.of(text.exampleId(), input, right)) : Optional.empty();
    }
}
