package io.tidemill.trainer.data;

import io.tidemill.model.engine.PackedBatch;
import java.util.List;

/**
 * A packed batch with the ids of the examples that it holds (or parts of which it holds), in row order without repeats,
 * so that a step that goes wrong can name its records.
 */
public record PackedExamples(PackedBatch batch, List<String> exampleIds) {
    public PackedExamples {
        exampleIds = List.copyOf(exampleIds);
    }
}
