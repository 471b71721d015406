package io.tidemill.proto;

/** Names one document; the same id with other content is a new revision of it. */
public record DocumentId(String value) {
    public DocumentId {
        if (value.isBlank()) {
            throw new IllegalArgumentException("A document's id must not be empty, but was '" + value + "'.");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
