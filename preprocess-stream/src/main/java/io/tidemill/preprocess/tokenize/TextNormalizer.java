package io.tidemill.preprocess.tokenize;

import java.text.Normalizer;

/**
 * Makes texts that look alike be alike: Unicode NFC, one kind of line end, no control characters but line feed and tab,
 * no half characters.
 *
 * <p>Source: Unicode Standard Annex 15 (normalization forms), section 1.2, form C; line ends are those of the Unicode
 * Standard, section 5.8 (CR, CRLF, NEL, LS, PS). A byte order mark at the beginning goes too.
 */
final class TextNormalizer {
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private TextNormalizer() {}

    static String normalize(String text) {
        return isPlain(text) ? text : Normalizer.normalize(clean(text), Normalizer.Form.NFC);
    }

    /** Printable ASCII with line feeds and tabs, which is its own normal form. */
    private static boolean isPlain(String text) {
        return text.chars().allMatch(c -> (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t');
    }

    private static String clean(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        int at = !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK ? 1 : 0;
        while (at < text.length()) {
            int point = text.codePointAt(at);
            int next = at + Character.charCount(point);
            if (isLineEnd(point)) {
                clean.append('\n');
                if (point == '\r' && next < text.length() && text.charAt(next) == '\n') {
                    next++;
                }
            } else if (isKept(point)) {
                clean.appendCodePoint(point);
            }
            at = next;
        }
        return clean.toString();
    }

    private static boolean isLineEnd(int point) {
        return point == '\r' || point == 0x85 || point == 0x2028 || point == 0x2029;
    }

    private static boolean isKept(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL -> point == '\n' || point == '\t';
            case Character.SURROGATE -> false;
            default -> true;
        };
    }
}
