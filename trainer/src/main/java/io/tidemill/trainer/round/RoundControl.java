package io.tidemill.trainer.round;

/** Asked between two pieces of a round's work; may wait, or end the round by what it throws. */
interface RoundControl {
    /**
     * Returns when the work may go on.
     *
     * @throws RoundAbandonedException if a command makes the round pointless
     * @throws TrainerStoppedException if the process ends; the round goes on at the next start
     */
    void check();
}
