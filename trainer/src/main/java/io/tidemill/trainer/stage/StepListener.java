package io.tidemill.trainer.stage;

/** Hears of each step; what it throws ends the stage with its last saved state intact. */
public interface StepListener {
    /** Before a step; may wait (a pause) or throw (the round is given up). */
    void before(Stage<?> stage, long step);

    void after(Stage<?> stage, StepReport report);
}
