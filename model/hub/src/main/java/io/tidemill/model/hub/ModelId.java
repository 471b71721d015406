package io.tidemill.model.hub;

import java.util.regex.Pattern;

/**
 * What a hub calls a model: {@code ORG/NAME}, or {@code NAME} alone for the oldest.
 *
 * @param value safe as a path of an address and of files
 */
public record ModelId(String value) {
    private static final Pattern FORM =
            Pattern.compile("(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}");

    public ModelId {
        if (!FORM.matcher(value).matches() || value.contains("..") || value.contains("--")) {
            throw new IllegalArgumentException(
                    "A model is named ORG/NAME in letters, digits, '.', '_' and '-', but this is '" + value + "'");
        }
    }

    /** The part after the organisation. */
    public String name() {
        return value.substring(value.indexOf('/') + 1);
    }

    @Override
    public String toString() {
        return value;
    }
}
