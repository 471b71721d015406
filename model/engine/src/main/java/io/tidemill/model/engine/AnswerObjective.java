package io.tidemill.model.engine;

/**
 * A loss over answers, given what the model says about them. It never sees tensors: the engine turns its slopes into
 * gradients of the weights.
 */
@FunctionalInterface
public interface AnswerObjective {
    /**
     * Reads what the model says of some of the texts, and fills the slopes.
     *
     * @param which for each first index of the call, which of the given texts it is; memory decides how many share a call
     * @return this call's part of the loss of the step
     */
    double evaluate(int[] which, AnswerCall call);
}
