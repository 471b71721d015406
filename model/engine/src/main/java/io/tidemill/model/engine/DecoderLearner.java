package io.tidemill.model.engine;

import java.util.List;
import java.util.OptionalDouble;

/** A decoder that learns: {@link TrainableModel} with all its weights, {@link TrainableAdapter} in an adapter. */
public interface DecoderLearner extends Learner {
    /**
     * Adds the gradient of (sum of this batch's token losses, each times its weight / {@code lossTokensOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per token, whatever its weight
     */
    double accumulate(PackedBatch batch, long lossTokensOfStep);

    /**
     * How far the model's next tokens are from those of the model that it is held to, over all calls of
     * {@link #accumulate(PackedBatch, long)} since the last step; nats per token. Empty where nothing holds it.
     */
    default OptionalDouble divergence() {
        return OptionalDouble.empty();
    }

    /**
     * Whether {@link #accumulate(PackedBatch, long)} learns with noise on the embedded tokens, uniform in ±α / √(L·h) for an
     * example of L tokens: NEFTune, Jain et al. (2023), arXiv:2310.05914. Nothing else is noisy. It is drawn by seed,
     * optimizer step and call within the step, so that a resumed run draws the same. Off at first.
     *
     * @param alpha α; 5 to 15 is usual, 0 is none
     */
    void noiseEmbeddings(double alpha, long seed);

    /**
     * Adds the gradient of an objective over answers. The texts go through the model in as many calls as memory asks for,
     * those of one {@link PromptAnswers} always together; the objective is asked once a call. A loss that is not finite
     * ends its call without gradients and is returned, for the caller to discard the step.
     *
     * @param textsAtOnce so many of them share a call at most; memory may ask for fewer
     * @param objective   must give finite slopes where its loss is finite
     * @return sum of what the objective gave
     * @throws IllegalArgumentException if a token is not in the vocabulary, or a prompt with an answer is longer than the
     *     model's positions; gradients are as they were
     */
    double accumulate(List<PromptAnswers> texts, int textsAtOnce, AnswerObjective objective);

    /** As {@link #accumulate(List, int, AnswerObjective)}, where memory alone decides how many share a call. */
    default double accumulate(List<PromptAnswers> texts, AnswerObjective objective) {
        return accumulate(texts, Integer.MAX_VALUE, objective);
    }

    /** Log-probabilities of the answers' tokens under the weights as they are: {@code [text][answer][token]}, nats. */
    double[][][] logProbabilities(List<PromptAnswers> texts);

    /** Scores of the states before each token of the answers and after the last, as {@link AnswerCall} has them. */
    double[][][] values(List<PromptAnswers> texts);
}
