package io.tidemill.model.text.jinja;

/** A template that cannot be read or rendered; the message says where, what and, if it can, what instead. */
public final class JinjaException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** For a fault found while rendering. */
    public JinjaException(String message) {
        super(message);
    }

    JinjaException(int line, String message) {
        super("line " + line + ": " + message);
    }
}
