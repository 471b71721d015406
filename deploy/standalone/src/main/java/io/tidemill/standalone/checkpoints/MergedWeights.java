package io.tidemill.standalone.checkpoints;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.WeightType;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Weights of a decoder's version in float32, of its parent's and its adapter. A smaller type is rounded from masters that the
 * store keeps to itself, which no merging of rounded weights gives.
 */
final class MergedWeights {
    private MergedWeights() {}

    static void merge(Path parent, Path adapter, Path merged) throws IOException {
        try (LanguageModel before = LanguageModel.load(parent, ComputeType.FLOAT32);
                LoraAdapter learnt = LoraAdapter.load(adapter, before.config());
                LanguageModel after = learnt.mergedInto(before)) {
            after.save(merged, WeightType.FLOAT32);
        }
    }
}
