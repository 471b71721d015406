package io.tidemill.proto;

/** A record cannot be used; carried out of the reading's depths and turned into {@link Reading.Refused}. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN_CHARACTERS = 80;

    private final String code;

    Refusal(String code, String reason) {
        super(reason, null, false, false);
        this.code = code;
    }

    String code() {
        return code;
    }

    static Refusal unreadable(String reason) {
        return new Refusal("unreadable", reason);
    }

    static Refusal wrongType(String path, String expected, String found) {
        return new Refusal("wrong-type", path + " must be " + expected + ", but was " + shown(found) + ".");
    }

    static Refusal wrongValue(String path, String expected, String found) {
        return new Refusal("wrong-value", path + " must be " + expected + ", but was " + shown(found) + ".");
    }

    static Refusal missing(String path) {
        return new Refusal("missing-field", path + " is required, but is absent or empty.");
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
