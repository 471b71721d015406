package io.tidemill.trainer.round;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.RoundEvent;
import java.util.List;
import java.util.Optional;

/**
 * What other threads may know of a trainer.
 *
 * @param events  of the model, oldest first
 * @param round   newest state of the loop
 * @param ready   a champion is announced and the log is followed
 * @param failure why the trainer has stopped for good, or what it is retrying after
 * @param stopped it does not try again
 */
public record TrainerStatus(
        List<CheckpointEvent> events, RoundEvent round, boolean ready, Optional<String> failure, boolean stopped) {
    static final TrainerStatus STARTING =
            new TrainerStatus(List.of(), RoundEvent.getDefaultInstance(), false, Optional.of("starting"), false);
}
