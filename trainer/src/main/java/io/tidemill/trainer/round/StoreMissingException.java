package io.tidemill.trainer.round;

/** The topic speaks of a version that this machine does not have. */
final class StoreMissingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StoreMissingException(String message) {
        super(message);
    }
}
