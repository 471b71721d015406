package io.tidemill.trainer.round;

/** What a lineage is to start from cannot be used, or is not what it started from; trying again does not change that. */
final class BaseModelException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BaseModelException(String message, IllegalArgumentException cause) {
        super(message, cause);
    }
}
