package io.tidemill.model.hub;

import java.io.IOException;

/** The hub, or what it holds, does not give what was asked. The message is for people: what, which value, what to do. */
public final class HubException extends IOException {
    private static final long serialVersionUID = 1L;

    HubException(String message) {
        super(message);
    }

    HubException(String message, Throwable cause) {
        super(message, cause);
    }
}
