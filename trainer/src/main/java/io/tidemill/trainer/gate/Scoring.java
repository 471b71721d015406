package io.tidemill.trainer.gate;

import java.util.List;

/** A model that is asked how likely texts are; as {@link io.tidemill.model.engine.LanguageModel#logProbabilities(List)}. */
@FunctionalInterface
public interface Scoring {
    /** For each sequence of n tokens n − 1 values: log p(token i + 1 | tokens up to i), in nats. */
    List<float[]> logProbabilities(List<int[]> sequences);

    /** What the model answers, always taking the most likely token, in the order of the questions. */
    default List<Reply> answers(List<Question> questions) {
        throw new UnsupportedOperationException("This model is asked for likelihoods alone");
    }
}
