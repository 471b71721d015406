package io.tidemill.trainer.round;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * What a round asks of the engine and memory may be wanting for.
 *
 * @param learner what is trained, given what the engine trains
 */
record Arithmetic(UnaryOperator<DecoderLearner> learner, Scorer scorer) {
    /** As {@link LanguageModel#logProbabilities(List, int)}. */
    interface Scorer {
        List<float[]> logProbabilities(LanguageModel model, List<int[]> sequences, int atOnce);
    }

    static final Arithmetic OF_ENGINE = new Arithmetic(UnaryOperator.identity(), LanguageModel::logProbabilities);
}
