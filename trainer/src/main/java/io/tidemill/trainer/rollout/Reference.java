package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.PromptAnswers;
import java.util.List;

/** The model that the policy is held to: the round's starting champion, or offline the starting model. It does not move. */
@FunctionalInterface
public interface Reference {
    /** Log-probability of each token of the answers: {@code [text][answer][token]}, nats. */
    double[][][] logProbabilities(List<PromptAnswers> texts);

    /** All of a model; with an adapter that learns, its base is the reference and costs no second copy. */
    static Reference of(LanguageModel model) {
        return texts -> model.answerLogProbabilities(texts, LanguageModel.SCORED_AT_ONCE);
    }
}
