package io.tidemill.model.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** A failure that may pass: a cut connection, a busy server. */
class TryLaterException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Duration wanted; // null where the server names none

    TryLaterException(String message, Throwable cause) {
        super(message, cause);
        this.wanted = null;
    }

    TryLaterException(String message, Optional<Duration> wanted) {
        super(message);
        this.wanted = wanted.orElse(null);
    }

    /** How long the server asks to wait. */
    Optional<Duration> wanted() {
        return Optional.ofNullable(wanted);
    }
}
