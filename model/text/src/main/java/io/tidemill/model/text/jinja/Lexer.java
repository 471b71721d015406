package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts a template into tokens and settles its white space, so that nothing after it has to think of that. */
final class Lexer {
    private static final Pattern IN_TAG = Pattern.compile(
            """
            (?<name>[A-Za-z_]\\w*)\
            |(?<number>\\d+(?:\\.\\d+)?)\
            |(?<string>'(?:[^'\\\\]|\\\\.)*'|"(?:[^"\\\\]|\\\\.)*")\
            |(?<operator>==|!=|<=|>=|//|\\*\\*|[-+*/%~<>=|.,:()\\[\\]{}])""",
            Pattern.DOTALL);

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;

    private Lexer(String source) {
        // As Jinja does: one newline at the very end of a template is not part of it.
        String unix = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
    }

    static List<Token> read(String source) {
        Lexer lexer = new Lexer(source);
        lexer.read();
        return lexer.tokens;
    }

    private void read() {
        boolean stripStart = false;
        while (at < source.length()) {
            int open = nextTag();
            String text = source.substring(at, open < 0 ? source.length() : open);
            if (stripStart) {
                text = text.stripLeading();
            }
            if (open < 0) {
                text(text);
                at = source.length();
                break;
            }
            char kind = source.charAt(open + 1);
            char control = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
            text(
                    control == '-'
                            ? text.stripTrailing()
                            : control != '+' && kind != '{' ? stripIndent(text, open) : text);
            at = open + 2 + (control == '-' || control == '+' ? 1 : 0);
            stripStart = kind == '#' ? comment() : tag(kind);
        }
        tokens.add(new Token(Kind.END, "", line(at)));
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /** {@code lstrip_blocks}: blanks between the start of a line and a block go. */
    private String stripIndent(String text, int open) {
        int start = source.lastIndexOf('\n', open - 1) + 1;
        if (!source.substring(start, open).isBlank()) {
            return text;
        }
        return text.substring(0, Math.max(0, text.length() - Math.min(text.length(), open - start)));
    }

    private void text(String text) {
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.TEXT, text, line(at)));
        }
    }

    private boolean comment() {
        int close = source.indexOf("#}", at);
        if (close < 0) {
            throw new JinjaException(line(at), "comment '{#' is never closed; '#}' is expected");
        }
        boolean strip = source.charAt(close - 1) == '-';
        at = close + 2;
        trimNewline();
        return strip;
    }

    /** Reads up to the end of an output or statement; true if the white space after it goes. */
    private boolean tag(char kind) {
        String end = kind == '{' ? "}}" : "%}";
        int opened = line(at);
        tokens.add(new Token(kind == '{' ? Kind.OPEN_OUTPUT : Kind.OPEN_STATEMENT, "{" + kind, opened));
        Matcher matcher = IN_TAG.matcher(source);
        int braces = 0;
        while (true) {
            while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
                at++;
            }
            boolean strip = source.startsWith("-" + end, at);
            if ((strip || source.startsWith(end, at) || source.startsWith("+" + end, at)) && braces == 0) {
                boolean keepNewline = source.charAt(at) == '+';
                tokens.add(new Token(Kind.CLOSE, end, line(at)));
                at += end.length() + (strip || keepNewline ? 1 : 0);
                if (kind == '%' && !keepNewline) {
                    trimNewline();
                }
                return strip;
            }
            if (at >= source.length()) {
                throw new JinjaException(opened, "'{" + kind + "' is never closed; '" + end + "' is expected");
            }
            if (!matcher.region(at, source.length()).lookingAt()) {
                throw new JinjaException(line(at), "character '" + source.charAt(at) + "' is not expected here");
            }
            Token token = token(matcher);
            braces += token.is(Kind.OPERATOR, "{") ? 1 : token.is(Kind.OPERATOR, "}") ? -1 : 0;
            tokens.add(token);
            at = matcher.end();
        }
    }

    /** {@code trim_blocks}: the newline right after a block goes. */
    private void trimNewline() {
        if (source.startsWith("\n", at)) {
            at++;
        }
    }

    private Token token(Matcher matcher) {
        if (matcher.group("name") != null) {
            return new Token(Kind.NAME, matcher.group(), line(at));
        }
        if (matcher.group("number") != null) {
            return new Token(Kind.NUMBER, matcher.group(), line(at));
        }
        if (matcher.group("string") != null) {
            return new Token(Kind.STRING, unescape(matcher.group()), line(at));
        }
        return new Token(Kind.OPERATOR, matcher.group(), line(at));
    }

    private String unescape(String quoted) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < quoted.length() - 1; i++) {
            char c = quoted.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char escaped = quoted.charAt(++i);
            switch (escaped) {
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'r' -> text.append('\r');
                case '\\', '\'', '"' -> text.append(escaped);
                case 'u', 'x' -> {
                    int digits = escaped == 'u' ? 4 : 2;
                    String hex = quoted.substring(i + 1, Math.min(i + 1 + digits, quoted.length() - 1));
                    if (!hex.matches("[0-9A-Fa-f]{" + digits + "}")) {
                        throw new JinjaException(
                                line(at),
                                "escape '\\" + escaped + "' needs " + digits + " hexadecimal digits, but has '" + hex
                                        + "'");
                    }
                    text.append((char) Integer.parseInt(hex, 16));
                    i += digits;
                }
                default -> text.append('\\').append(escaped);
            }
        }
        return text.toString();
    }

    private int line(int index) {
        return 1
                + (int) source.substring(0, Math.min(index, source.length()))
                        .chars()
                        .filter(c -> c == '\n')
                        .count();
    }
}
