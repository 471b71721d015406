package io.tidemill.proto;

/** A record cannot be used; carried out of the reading's depths and turned into {@link Reading.Refused}. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN_CHARACTERS = 80;

    private final String code;
    private final String field;
    private final String value;
    private final String expected;

    Refusal(String code, String reason, String field, String value, String expected) {
        super(reason, null, false, false);
        this.code = code;
        this.field = field;
        this.value = value;
        this.expected = expected;
    }

    <M> Reading.Refused<M> reading() {
        return new Reading.Refused<>(code, getMessage(), field, value, expected);
    }

    static Refusal empty(String expected) {
        return new Refusal("empty", "There is no value. Expected: " + expected + ".", "", "", expected);
    }

    static Refusal unreadable(String reason, String expected) {
        return new Refusal("unreadable", reason + " Expected: " + expected + ".", "", "", expected);
    }

    static Refusal repeated(String path, String expected, String found) {
        return new Refusal(
                "unreadable", path + " is there " + found + ". Expected: " + expected + ".", path, "", expected);
    }

    static Refusal unknownField(String path, String type, String known) {
        return new Refusal(
                "unknown-field",
                shown(path) + " is not a field of " + type + ". Expected one of: " + known + ".",
                shown(path),
                "",
                "one of " + known);
    }

    static Refusal wrongType(String path, String expected, String found) {
        return wrong("wrong-type", path, expected, found);
    }

    static Refusal wrongValue(String path, String expected, String found) {
        return wrong("wrong-value", path, expected, found);
    }

    private static Refusal wrong(String code, String path, String expected, String found) {
        String where = path.isEmpty() ? "The value" : path;
        return new Refusal(
                code, where + " must be " + expected + ", but was " + shown(found) + ".", path, shown(found), expected);
    }

    static Refusal missing(String path) {
        return new Refusal("missing-field", path + " is required, but is absent or empty.", path, "", "a value");
    }

    /** The value as it came, cut so that a reason stays one line. */
    static String shown(String value) {
        String line = value.codePoints()
                .limit(SHOWN_CHARACTERS)
                .map(c -> Character.isISOControl(c) ? '\u2423' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        return line.length() < value.length() ? line + "…" : line;
    }
}
