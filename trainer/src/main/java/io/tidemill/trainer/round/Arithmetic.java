package io.tidemill.trainer.round;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.gate.EncoderScoring;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * What a round asks of the engine and memory may be wanting for.
 *
 * @param learner        what is trained, given what the engine trains
 * @param encoderLearner the same of an encoder
 * @param encoderScoring what the gate asks, given an encoder
 */
record Arithmetic(
        UnaryOperator<DecoderLearner> learner,
        Scorer scorer,
        AnswerScorer answers,
        UnaryOperator<EncoderLearner> encoderLearner,
        Function<EncoderModel, EncoderScoring> encoderScoring) {
    /** As {@link LanguageModel#logProbabilities(List, int)}. */
    interface Scorer {
        List<float[]> logProbabilities(LanguageModel model, List<int[]> sequences, int atOnce);

        /** @param between may be run by the calling thread before all is done; what it throws ends the work */
        default List<float[]> logProbabilities(
                LanguageModel model, List<int[]> sequences, int atOnce, Runnable between) {
            return logProbabilities(model, sequences, atOnce);
        }
    }

    /** As {@link LanguageModel#answerLogProbabilities}. */
    interface AnswerScorer {
        double[][][] logProbabilities(LanguageModel model, List<PromptAnswers> texts, int atOnce);
    }

    static final Arithmetic OF_ENGINE = new Arithmetic(
            UnaryOperator.identity(),
            LanguageModel::logProbabilities,
            LanguageModel::answerLogProbabilities,
            UnaryOperator.identity(),
            Arithmetic::asking);

    /** The engine's, with so many threads that score for the gate. */
    static Arithmetic ofEngine(int gateThreads) {
        return new Arithmetic(
                OF_ENGINE.learner,
                new SharedScorer(gateThreads, OF_ENGINE.scorer),
                OF_ENGINE.answers,
                OF_ENGINE.encoderLearner,
                OF_ENGINE.encoderScoring);
    }

    private static EncoderScoring asking(EncoderModel model) {
        return new EncoderScoring() {
            @Override
            public double[] maskedLosses(List<MaskedText> texts) {
                return model.maskedLosses(texts);
            }

            @Override
            public float[][] labelLogits(List<EncoderInput> inputs) {
                return model.labelLogits(inputs);
            }
        };
    }
}
