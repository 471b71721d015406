package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Token.Kind;
import java.util.List;

/** Walks over tokens, with errors that say what was expected and what was found. */
final class TokenReader {
    private static final int DEEPEST = 100;

    private final List<Token> tokens;
    private int at;
    private int depth;

    TokenReader(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = peek();
        if (token.kind() != Kind.END) {
            at++;
        }
        return token;
    }

    /** Steps over the token if it is this one. */
    boolean take(Kind kind, String text) {
        boolean found = peek().is(kind, text);
        at += found && kind != Kind.END ? 1 : 0;
        return found;
    }

    boolean takeOperator(String text) {
        return take(Kind.OPERATOR, text);
    }

    boolean takeName(String text) {
        return take(Kind.NAME, text);
    }

    boolean atOperator(String text) {
        return peek().is(Kind.OPERATOR, text);
    }

    void expect(Kind kind, String text) {
        if (!take(kind, text)) {
            throw fault(kind == Kind.END ? "nothing more is expected" : "'" + text + "' is expected");
        }
    }

    void expectOperator(String text) {
        expect(Kind.OPERATOR, text);
    }

    String name() {
        if (peek().kind() != Kind.NAME) {
            throw fault("a name is expected");
        }
        return next().text();
    }

    /** Steps into a part inside a part, of which a template may have so many and no more. */
    void enter() {
        if (++depth > DEEPEST) {
            throw new JinjaException(peek().line(), "the template is nested more than " + DEEPEST + " deep");
        }
    }

    void leave() {
        depth--;
    }

    JinjaException fault(String expected) {
        return new JinjaException(peek().line(), expected + ", but found " + peek().shown());
    }
}
