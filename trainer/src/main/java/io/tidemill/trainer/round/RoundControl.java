package io.tidemill.trainer.round;

import java.util.Set;

/** Asked between two pieces of a round's work; may wait, or end the round by what it throws. */
interface RoundControl {
    /**
     * Returns when the work may go on.
     *
     * @throws RoundAbandonedException if a command makes the round pointless
     * @throws MemberErasedException   if something that the round reads is to be forgotten
     * @throws TrainerStoppedException if the process ends; the round goes on at the next start
     */
    void check();

    /**
     * Told what the round's examples go by, those of the gate among them, as soon as they are known.
     *
     * @throws MemberErasedException if one of them is to be forgotten; so does {@link #check} from then on
     */
    default void members(Set<String> keys) {}

    /**
     * The last question of a round: from then on its version exists and is announced.
     *
     * @throws RoundAbandonedException if a command has made the round pointless
     */
    default void commit() {}
}
