package io.tidemill.trainer.rollout;

import java.util.Map;

/** A way to learn from rollouts. It keeps nothing: what outlives a harvest goes through the stage's memory. */
public interface RolloutLearning {
    /**
     * What must be known of answers.
     *
     * @param reference    their log-probabilities under the reference
     * @param values       a critic's values: the learner has a value head
     * @param ownSampling  that they were drawn from the policy's own distribution, with nothing cut off
     * @param answers      how many there must be to a prompt, at least
     */
    record Needs(boolean reference, boolean values, boolean ownSampling, int answers) {}

    /** As recipes, settings and figures name it. */
    String name();

    Needs needs();

    /** Whether anything can be learned from these answers; what cannot is left out and, where set, replaced. */
    boolean teaches(Rollout rollout);

    /** Answers that go through the model together at least. */
    int together();

    /** What is learned from a harvest; a function of it alone. */
    Lesson lesson(Harvest harvest);

    /** What is to be remembered after a harvest, in place of {@link Harvest#before}. */
    default Map<String, Double> after(Harvest harvest) {
        return Map.of();
    }
}
