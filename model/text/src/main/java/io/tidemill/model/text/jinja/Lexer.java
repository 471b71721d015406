package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts a template into tokens and settles its white space, so that nothing after it has to think of that. */
final class Lexer {
    /** {@code 1.5} and {@code 1e3}, but not after a point: {@code list.0.1} is two places. */
    private static final String FLOAT =
            "(?<!\\.)(?:[0-9]+_)*[0-9]+(?:(?:\\.(?:[0-9]+_)*[0-9]+)?[eE][+-]?(?:[0-9]+_)*[0-9]+|\\.(?:[0-9]+_)*[0-9]+)";

    private static final String INTEGER =
            "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+" + "|[1-9](?:_?[0-9])*|0(?:_?0)*";
    private static final Pattern IN_TAG = Pattern.compile(
            "(?<float>" + FLOAT + ")|(?<integer>" + INTEGER
                    + ")|(?<name>\\w+)|(?<string>'(?:[^'\\\\]|\\\\.)*+'|\"(?:[^\"\\\\]|\\\\.)*+\")"
                    + "|(?<operator>==|!=|<=|>=|//|\\*\\*|[-+*/%~<>=|.,:;()\\[\\]{}])",
            Pattern.DOTALL | Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern RAW =
            Pattern.compile("\\{%[-+]?\\s*raw\\s*(?:-%\\}\\s*|%\\})", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern END_RAW =
            Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(\\+%\\}|-%\\}\\s*|%\\}\\n?)", Pattern.UNICODE_CHARACTER_CLASS);

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int lineAt;
    private int line = 1;
    /** Whether what was read last ends a line, so that blanks before a block are its indent. */
    private boolean lineStarts = true;

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
        while (at < source.length()) {
            int open = nextTag();
            if (open < 0) {
                text(source.substring(at));
                at = source.length();
                break;
            }
            char kind = source.charAt(open + 1);
            text(beforeTag(source.substring(at, open), kind, control(open)));
            Matcher raw = RAW.matcher(source).region(open, source.length());
            if (kind == '%' && raw.lookingAt()) {
                raw(raw.end());
                continue;
            }
            at = open + 2 + (control(open) == ' ' ? 0 : 1);
            if (kind == '#') {
                comment(open);
            } else {
                tag(kind, open);
            }
        }
        tokens.add(new Token(Kind.END, "", line(source.length())));
    }

    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    private char control(int open) {
        char control = open + 2 < source.length() ? source.charAt(open + 2) : ' ';
        return control == '-' || control == '+' ? control : ' ';
    }

    /** {@code -} takes all white space before a tag; {@code lstrip_blocks} takes a block's own indent. */
    private String beforeTag(String text, char kind, char control) {
        if (control == '-') {
            return Text.strip(text, null, false, true);
        }
        int start = text.lastIndexOf('\n') + 1;
        boolean indent = control == ' ' && kind != '{' && (start > 0 || lineStarts);
        return indent && Text.strip(text.substring(start), null, true, false).isEmpty()
                ? text.substring(0, start)
                : text;
    }

    private void text(String text) {
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.TEXT, text, line(at)));
        }
    }

    private void comment(int open) {
        int close = source.indexOf("#}", at);
        if (at == source.length()) {
            return; // as in Jinja: nothing follows that could be lost
        }
        if (close < 0) {
            throw new JinjaException(line(open), "comment '{#' is never closed; '#}' is expected");
        }
        char control = close > at ? source.charAt(close - 1) : ' ';
        at = close + 2;
        afterTag(control, true);
    }

    private void raw(int start) {
        Matcher end = END_RAW.matcher(source);
        if (!end.find(start)) {
            throw new JinjaException(line(at), "'raw' is never closed; '{% endraw %}' is expected");
        }
        lineStarts = source.charAt(start - 1) == '\n';
        String body = source.substring(start, end.start());
        text(beforeTag(body, '%', end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0)));
        at = end.end();
        lineStarts = source.charAt(at - 1) == '\n';
    }

    /** Steps over what the end of a tag takes with it: all white space, or, of a block, one newline. */
    private void afterTag(char control, boolean block) {
        if (control == '-') {
            while (at < source.length() && Text.isSpace(source.charAt(at))) {
                at++;
            }
        } else if (block && control != '+' && source.startsWith("\n", at)) {
            at++;
        }
        lineStarts = source.charAt(at - 1) == '\n';
    }

    private void tag(char kind, int open) {
        boolean block = kind == '%';
        String end = block ? "%}" : "}}";
        tokens.add(new Token(block ? Kind.OPEN_STATEMENT : Kind.OPEN_OUTPUT, "{" + kind, line(open)));
        Matcher matcher = IN_TAG.matcher(source).useTransparentBounds(true);
        Deque<Character> closers = new ArrayDeque<>();
        while (true) {
            while (at < source.length() && Text.isSpace(source.charAt(at))) {
                at++;
            }
            if (at >= source.length()) {
                throw new JinjaException(line(open), "'{" + kind + "' is never closed; '" + end + "' is expected");
            }
            char sign = source.charAt(at);
            boolean signed = (sign == '-' || (sign == '+' && block)) && source.startsWith(end, at + 1);
            if (closers.isEmpty() && (signed || source.startsWith(end, at))) {
                tokens.add(new Token(block ? Kind.CLOSE_STATEMENT : Kind.CLOSE_OUTPUT, end, line(at)));
                at += end.length() + (signed ? 1 : 0);
                afterTag(signed ? sign : ' ', block);
                return;
            }
            if (!matcher.region(at, source.length()).lookingAt()) {
                throw new JinjaException(line(at), "character '" + source.charAt(at) + "' is not expected here");
            }
            Token token = token(matcher);
            balance(token, closers);
            tokens.add(token);
            at = matcher.end();
        }
    }

    private static void balance(Token token, Deque<Character> closers) {
        if (token.kind() != Kind.OPERATOR) {
            return;
        }
        char c = token.text().charAt(0);
        switch (c) {
            case '(' -> closers.push(')');
            case '[' -> closers.push(']');
            case '{' -> closers.push('}');
            case ')', ']', '}' -> {
                if (closers.isEmpty() || closers.pop() != c) {
                    throw new JinjaException(token.line(), "'" + c + "' closes nothing");
                }
            }
            default -> {}
        }
    }

    private Token token(Matcher matcher) {
        String text = matcher.group();
        int line = line(at);
        if (matcher.group("float") != null) {
            return new Token(Kind.NUMBER, text, Double.valueOf(text.replace("_", "")), line);
        }
        if (matcher.group("integer") != null) {
            return new Token(Kind.NUMBER, text, integer(text.replace("_", ""), line), line);
        }
        if (matcher.group("name") != null) {
            if (!Character.isUnicodeIdentifierStart(text.codePointAt(0)) && text.charAt(0) != '_') {
                throw new JinjaException(line, "'" + text + "' is not a name");
            }
            return new Token(Kind.NAME, text, line);
        }
        if (matcher.group("string") != null) {
            return new Token(Kind.STRING, text, unescape(text, line), line);
        }
        return new Token(Kind.OPERATOR, text, line);
    }

    private static Long integer(String text, int line) {
        int base = text.length() < 2
                ? 10
                : switch (Character.toLowerCase(text.charAt(1))) {
                    case 'b' -> 2;
                    case 'o' -> 8;
                    case 'x' -> 16;
                    default -> 10;
                };
        try {
            return Long.valueOf(base == 10 ? text : text.substring(2), base);
        } catch (NumberFormatException e) {
            throw new JinjaException(line, "whole numbers beyond 64 bits are not supported, but found " + text);
        }
    }

    /** The escapes of Python's string literals. */
    private static String unescape(String quoted, int line) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < quoted.length() - 1; i++) {
            char c = quoted.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char escaped = quoted.charAt(++i);
            int simple = "ntr\\'\"abfv".indexOf(escaped);
            if (simple >= 0) {
                text.append("\n\t\r\\'\"\u0007\b\f\u000B".charAt(simple));
            } else if (escaped == 'x' || escaped == 'u' || escaped == 'U') {
                int digits = escaped == 'x' ? 2 : escaped == 'u' ? 4 : 8;
                String hex = quoted.substring(i + 1, Math.min(i + 1 + digits, quoted.length() - 1));
                if (!hex.matches("[0-9A-Fa-f]{" + digits + "}") || Long.parseLong(hex, 16) > Character.MAX_CODE_POINT) {
                    throw new JinjaException(
                            line,
                            "escape '\\" + escaped + "' needs " + digits + " hexadecimal digits, but has '" + hex
                                    + "'");
                }
                text.appendCodePoint(Integer.parseInt(hex, 16));
                i += digits;
            } else if (escaped >= '0' && escaped <= '7') {
                int end = i;
                while (end < i + 3 && quoted.charAt(end) >= '0' && quoted.charAt(end) <= '7') {
                    end++;
                }
                text.append((char) Integer.parseInt(quoted.substring(i, end), 8));
                i = end - 1;
            } else if (escaped == 'N') {
                throw new JinjaException(line, "escape '\\N' is not supported; write the character itself");
            } else if (escaped != '\n') { // a backslash at the end of a line joins it with the next
                text.append('\\').append(escaped);
            }
        }
        return text.toString();
    }

    /** The line of a place at or after the last one asked for. */
    private int line(int index) {
        for (; lineAt < index; lineAt++) {
            line += source.charAt(lineAt) == '\n' ? 1 : 0;
        }
        return line;
    }
}
