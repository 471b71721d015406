package io.tidemill.feedback.request;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/** A value that a request may not have: the field, the value and what is expected instead. */
public final class InvalidRequest extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int LONGEST_VALUE = 120;

    private final String field;
    private final String value;
    private final String expected;
    private final String code;

    private InvalidRequest(String code, String field, String value, String expected, String message) {
        super(message);
        this.code = code;
        this.field = field;
        this.value = clip(value);
        this.expected = expected;
    }

    /** {@code "temperature must be from 0 to 2, but was 3"}. */
    public static InvalidRequest value(String field, Object value, String expected) {
        String written = clip(value instanceof JsonNode node ? node.toString() : String.valueOf(value));
        return new InvalidRequest(
                "invalid_value", field, written, expected, field + " must be " + expected + ", but was " + written);
    }

    public static InvalidRequest missing(String field, String expected) {
        return new InvalidRequest(
                "missing_field", field, "nothing", expected, field + " is required: " + expected + ", but was missing");
    }

    public static InvalidRequest unknown(String field, Object value, String known) {
        String written = clip(String.valueOf(value));
        return new InvalidRequest(
                "unknown_field",
                field,
                written,
                "one of " + known,
                "unknown field " + field + " with value " + written + "; known are " + known);
    }

    public static InvalidRequest unsupported(String field, Object value, String expected) {
        String written = clip(String.valueOf(value));
        return new InvalidRequest(
                "unsupported_value",
                field,
                written,
                expected,
                String.format(Locale.ROOT, "%s %s is not supported; expected %s", field, written, expected));
    }

    private static String clip(String value) {
        return value.length() <= LONGEST_VALUE
                ? value
                : value.substring(0, LONGEST_VALUE) + "… (" + value.length() + " characters)";
    }

    public String field() {
        return field;
    }

    public String value() {
        return value;
    }

    public String expected() {
        return expected;
    }

    /** Short and stable, for programs. */
    public String code() {
        return code;
    }
}
