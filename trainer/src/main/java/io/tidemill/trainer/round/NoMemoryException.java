package io.tidemill.trainer.round;

/** A model does not fit into the memory there is, whatever the trainer does; trying again does not change that. */
final class NoMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
