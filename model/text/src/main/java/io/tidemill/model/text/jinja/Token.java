package io.tidemill.model.text.jinja;

/**
 * A piece of a template: running text, or a part of an expression or statement.
 *
 * @param value what a string or number literal stands for; else the text
 */
record Token(Kind kind, String text, Object value, int line) {
    enum Kind {
        TEXT,
        OPEN_OUTPUT,
        OPEN_STATEMENT,
        CLOSE_OUTPUT,
        CLOSE_STATEMENT,
        NAME,
        STRING,
        NUMBER,
        OPERATOR,
        END
    }

    Token(Kind kind, String text, int line) {
        this(kind, text, text, line);
    }

    boolean is(Kind kind, String text) {
        return this.kind == kind && this.text.equals(text);
    }

    String shown() {
        return kind == Kind.END ? "the end of the template" : "'" + text + "'";
    }
}
