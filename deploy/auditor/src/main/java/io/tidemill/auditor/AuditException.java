package io.tidemill.auditor;

/** Something that an audit needs cannot be had, so that it can say neither yes nor no. The message says what. */
public final class AuditException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    AuditException(String message) {
        super(message);
    }

    AuditException(String message, Throwable cause) {
        super(message, cause);
    }
}
