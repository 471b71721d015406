package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/** Learns from pairs: of the two answers of each text of a call, the first was preferred. */
public interface PairObjective {
    /** As recipes, settings and figures name it. */
    String name();

    /** Whether log-probabilities of a reference are needed. */
    boolean needsReference();

    /** Whether it learns scores, and needs a model that gives them. */
    default boolean learnsScores() {
        return false;
    }

    /**
     * Fills the slopes of a call.
     *
     * @param pairs        those of the call, in its order
     * @param weightOfStep sum of the weights of all pairs of the step, over all its calls
     * @param figures      what the step logs
     * @return this call's part of the step's loss: Σ weight · loss / weightOfStep
     */
    double evaluate(AnswerCall call, List<JudgedPair> pairs, double weightOfStep, Figures figures);
}
