package io.tidemill.model.text.jinja;

/** A piece of a template: running text, or a part of an expression or statement. */
record Token(Kind kind, String text, int line) {
    enum Kind {
        TEXT,
        OPEN_OUTPUT,
        OPEN_STATEMENT,
        CLOSE,
        NAME,
        STRING,
        NUMBER,
        OPERATOR,
        END
    }

    boolean is(Kind kind, String text) {
        return this.kind == kind && this.text.equals(text);
    }

    String shown() {
        return kind == Kind.END ? "the end of the template" : "'" + text + "'";
    }
}
