package io.tidemill.trainer.stage;

import io.tidemill.model.engine.Learner;

/** Hears of each step; what it throws ends the stage with its last saved state intact. */
public interface StepListener {
    /** Before a step; may wait (a pause) or throw (the round is given up). */
    void before(Stage<?> stage, long step);

    void after(Stage<?> stage, StepReport report);

    /**
     * Asked after each step, before its state is saved; may look at the learner as it is between two steps.
     *
     * @return whether the stage ends with this step, before its last
     */
    default boolean ends(Stage<?> stage, long step, Learner learner) {
        return false;
    }
}
