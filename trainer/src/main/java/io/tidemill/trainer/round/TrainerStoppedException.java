package io.tidemill.trainer.round;

/** The process is being stopped; what was saved is resumed at the next start. */
final class TrainerStoppedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TrainerStoppedException() {
        super("The trainer is being stopped");
    }
}
