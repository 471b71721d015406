package io.tidemill.trainer.round;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.PromptAnswers;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * What a round asks of the engine and memory may be wanting for.
 *
 * @param learner what is trained, given what the engine trains
 */
record Arithmetic(UnaryOperator<DecoderLearner> learner, Scorer scorer, AnswerScorer answers) {
    /** As {@link LanguageModel#logProbabilities(List, int)}. */
    interface Scorer {
        List<float[]> logProbabilities(LanguageModel model, List<int[]> sequences, int atOnce);
    }

    /** As {@link LanguageModel#answerLogProbabilities}. */
    interface AnswerScorer {
        double[][][] logProbabilities(LanguageModel model, List<PromptAnswers> texts, int atOnce);
    }

    static final Arithmetic OF_ENGINE = new Arithmetic(
            UnaryOperator.identity(), LanguageModel::logProbabilities, LanguageModel::answerLogProbabilities);
}
