package io.tidemill.trainer.round;

/** A promotion or rollback changes the champion that the running round started from. */
final class RoundAbandonedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RoundAbandonedException(String message) {
        super(message);
    }
}
