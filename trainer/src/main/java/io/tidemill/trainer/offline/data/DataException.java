package io.tidemill.trainer.offline.data;

/** Data that a run cannot begin with. Nothing was started. */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DataException(String message) {
        super(message);
    }

    DataException(String message, Throwable cause) {
        super(message, cause);
    }
}
