package io.tidemill.proto;

/** Names one prompt shown to one person; completions and feedback of a turn share it. */
public record TurnId(String value) {
    public TurnId {
        if (value.isBlank()) {
            throw new IllegalArgumentException("A turn's id must not be empty, but was '" + value + "'.");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
