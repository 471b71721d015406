package io.tidemill.model.text.jinja;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What Python does with text, and how it writes values down. */
final class Text {
    private static final int LONGEST = 20_000_000;

    private Text() {}

    /** White space as Python's {@code str.isspace} has it. */
    static boolean isSpace(int point) {
        return Character.isWhitespace(point) || Character.isSpaceChar(point) || point == 0x85;
    }

    /** Python's {@code strip}: white space, or any of the given characters. */
    static String strip(String text, String characters, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && strips(text.codePointAt(start), characters)) {
            start += Character.charCount(text.codePointAt(start));
        }
        while (right && end > start && strips(text.codePointBefore(end), characters)) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    private static boolean strips(int point, String characters) {
        return characters == null ? isSpace(point) : characters.indexOf(point) >= 0;
    }

    /** Python's {@code split}; {@code limit} counts the cuts, -1 for all. */
    static List<Object> split(String text, String separator, long limit) {
        List<Object> parts = new ArrayList<>();
        if (separator == null) {
            int at = 0;
            while (true) {
                while (at < text.length() && isSpace(text.charAt(at))) {
                    at++;
                }
                if (at == text.length()) {
                    return parts;
                }
                if (limit >= 0 && parts.size() == limit) {
                    parts.add(text.substring(at));
                    return parts;
                }
                int start = at;
                while (at < text.length() && !isSpace(text.charAt(at))) {
                    at++;
                }
                parts.add(text.substring(start, at));
            }
        }
        needed(separator);
        int start = 0;
        int found = text.indexOf(separator);
        while (found >= 0 && (limit < 0 || parts.size() < limit)) {
            parts.add(text.substring(start, found));
            start = found + separator.length();
            found = text.indexOf(separator, start);
        }
        parts.add(text.substring(start));
        return parts;
    }

    /** Python's {@code rsplit}: the cuts are made from the end. */
    static List<Object> splitRight(String text, String separator, long limit) {
        if (limit < 0) {
            return split(text, separator, -1);
        }
        List<Object> parts = new ArrayList<>();
        String rest = separator == null ? strip(text, null, false, true) : text;
        if (separator != null) {
            needed(separator);
        }
        while (parts.size() < limit) {
            int end = rest.length();
            int cut;
            int width;
            if (separator == null) {
                cut = end - 1;
                while (cut >= 0 && !isSpace(rest.charAt(cut))) {
                    cut--;
                }
                width = 1;
            } else {
                cut = rest.lastIndexOf(separator);
                width = separator.length();
            }
            if (cut < 0) {
                break;
            }
            parts.add(0, rest.substring(cut + width));
            rest = rest.substring(0, cut);
            if (separator == null) {
                rest = strip(rest, null, false, true);
            }
        }
        if (separator != null || !rest.isEmpty()) {
            parts.add(0, rest);
        }
        return parts;
    }

    private static void needed(String separator) {
        if (separator.isEmpty()) {
            throw new JinjaException("a separator must not be empty");
        }
    }

    /** Python's {@code splitlines}. */
    static List<Object> lines(String text, boolean keepEnds) {
        List<Object> lines = new ArrayList<>();
        int start = 0;
        int at = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            boolean ends = c >= '\n' && c <= '\r' || c >= 0x1C && c <= 0x1E || c == 0x85 || c == 0x2028 || c == 0x2029;
            if (!ends) {
                at++;
                continue;
            }
            int next = at + (c == '\r' && text.startsWith("\n", at + 1) ? 2 : 1);
            lines.add(text.substring(start, keepEnds ? next : at));
            start = next;
            at = next;
        }
        if (start < text.length()) {
            lines.add(text.substring(start));
        }
        return lines;
    }

    /** Python's {@code replace}; {@code limit} counts replacements, -1 for all. */
    static String replace(Run run, String text, String old, String replacement, long limit) {
        long places = 0;
        for (int i = text.indexOf(old);
                i >= 0 && i < text.length() && (limit < 0 || places < limit);
                i = text.indexOf(old, i + Math.max(1, old.length()))) {
            places++;
        }
        run.spendText(text.length() + (places + 1) * replacement.length());
        if (limit < 0) {
            return old.isEmpty() ? between(text, replacement, Long.MAX_VALUE) : text.replace(old, replacement);
        }
        if (old.isEmpty()) {
            return between(text, replacement, limit);
        }
        StringBuilder all = new StringBuilder();
        int start = 0;
        int found = text.indexOf(old);
        for (long i = 0; i < limit && found >= 0; i++) {
            all.append(text, start, found).append(replacement);
            start = found + old.length();
            found = text.indexOf(old, start);
        }
        return all.append(text.substring(start)).toString();
    }

    private static String between(String text, String replacement, long limit) {
        StringBuilder all = new StringBuilder();
        long left = limit;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            if (left-- > 0) {
                all.append(replacement);
            }
            all.appendCodePoint(text.codePointAt(i));
        }
        return left > 0 ? all.append(replacement).toString() : all.toString();
    }

    static String upper(String text) {
        return text.toUpperCase(Locale.ROOT);
    }

    static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /** The first character as in a title, the rest small. */
    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int end = text.offsetByCodePoints(0, 1);
        return titled(text.substring(0, end)) + lower(text.substring(end));
    }

    private static String titled(String character) {
        String upper = upper(character);
        return upper.codePointCount(0, upper.length()) == 1
                ? Character.toString(Character.toTitleCase(character.codePointAt(0)))
                : upper.charAt(0) + lower(upper.substring(1));
    }

    /** Python's {@code title}: each run of letters with case begins large. */
    static String title(String text) {
        StringBuilder all = new StringBuilder();
        boolean inside = false;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int point = text.codePointAt(i);
            String character = Character.toString(point);
            all.append(inside ? lower(character) : titled(character));
            inside = Character.isUpperCase(point) || Character.isLowerCase(point) || Character.isTitleCase(point);
        }
        return all.toString();
    }

    /** Whether all letters with case are small, and one is. */
    static boolean isLower(String text) {
        return text.codePoints().anyMatch(Character::isLowerCase)
                && text.codePoints().noneMatch(point -> Character.isUpperCase(point) || Character.isTitleCase(point));
    }

    /** Whether all letters with case are large, and one is. */
    static boolean isUpper(String text) {
        return text.codePoints().anyMatch(Character::isUpperCase)
                && text.codePoints().noneMatch(point -> Character.isLowerCase(point) || Character.isTitleCase(point));
    }

    /** Python's {@code center}. */
    static String center(String text, long width, String fill) {
        long missing = Math.max(0, width - Values.length(text));
        long left = missing / 2 + (missing & width & 1);
        return fill.repeat(Math.toIntExact(left)) + text + fill.repeat(Math.toIntExact(missing - left));
    }

    /** Python's {@code repr}, but for values whose form tells an address in memory: these are refused. */
    static String representation(Object value) {
        StringBuilder text = new StringBuilder();
        represent(value, text);
        return text.toString();
    }

    /** Refuses to write down more than any conversation has: values may hold each other many times over. */
    static void checkLength(StringBuilder text) {
        if (text.length() > LONGEST) {
            throw new JinjaException("a value has more than " + LONGEST + " characters when written down");
        }
    }

    private static void represent(Object value, StringBuilder text) {
        checkLength(text);
        if (value == null) {
            text.append("None");
        } else if (value instanceof Boolean truth) {
            text.append(truth ? "True" : "False");
        } else if (value instanceof Double number) {
            text.append(decimal(number));
        } else if (value instanceof String string) {
            quote(string, text);
        } else if (value instanceof Safe safe) {
            text.append("Markup(");
            quote(safe.text(), text);
            text.append(')');
        } else if (value instanceof Undefined) {
            text.append("Undefined");
        } else if (value instanceof List<?> items) {
            represent(items, "[", "]", text);
        } else if (value instanceof Tuple tuple) {
            represent(tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")", text);
        } else if (value instanceof Map<?, ?> map) {
            text.append('{');
            String comma = "";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                text.append(comma);
                represent(entry.getKey(), text);
                text.append(": ");
                represent(entry.getValue(), text);
                comma = ", ";
            }
            text.append('}');
        } else if (value instanceof View view) {
            text.append("dict_").append(lower(view.kind().name()));
            represent(view.list(), "([", "])", text);
        } else if (value instanceof Range range) {
            text.append("range(").append(range.start()).append(", ").append(range.stop());
            text.append(range.step() == 1 ? "" : ", " + range.step()).append(')');
        } else if (value instanceof Long) {
            text.append(value);
        } else {
            throw new JinjaException("printing a function, loop, namespace or unfinished list is not supported;"
                    + " call it, or put '| list' behind it");
        }
    }

    private static void represent(List<?> items, String open, String close, StringBuilder text) {
        text.append(open);
        for (Iterator<?> each = items.iterator(); each.hasNext(); ) {
            represent(each.next(), text);
            text.append(each.hasNext() ? ", " : "");
        }
        text.append(close);
    }

    private static void quote(String string, StringBuilder text) {
        char quote = string.contains("'") && !string.contains("\"") ? '"' : '\'';
        text.append(quote);
        string.codePoints().forEach(point -> {
            switch (point) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\\' -> text.append("\\\\");
                default -> {
                    if (point == quote) {
                        text.append('\\').append(quote);
                    } else if (prints(point)) {
                        text.appendCodePoint(point);
                    } else if (point < 0x100) {
                        text.append(String.format("\\x%02x", point));
                    } else {
                        text.append(String.format(point < 0x10000 ? "\\u%04x" : "\\U%08x", point));
                    }
                }
            }
        });
        text.append(quote);
    }

    private static boolean prints(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> point == ' ';
            default -> true;
        };
    }

    /** The shortest digits that read back as the number, in Python's form: {@code 1.0}, {@code 1e-05}, {@code 1e+16}. */
    static String decimal(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return Double.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal exact = new BigDecimal(number);
        BigDecimal shortest = exact;
        for (int digits = 1; digits <= 17; digits++) {
            shortest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (shortest.doubleValue() == number) {
                break;
            }
        }
        String digits = shortest.unscaledValue().abs().toString();
        int exponent = digits.length() - shortest.scale() - 1;
        digits = digits.replaceAll("0+$", "");
        String sign = number < 0 ? "-" : "";
        if (exponent < -4 || exponent >= 16) {
            String power = (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
            return sign + digits.charAt(0) + (digits.length() > 1 ? "." + digits.substring(1) : "") + "e" + power;
        }
        if (exponent < 0) {
            return sign + "0." + "0".repeat(-exponent - 1) + digits;
        }
        if (digits.length() <= exponent + 1) {
            return sign + digits + "0".repeat(exponent + 1 - digits.length()) + ".0";
        }
        return sign + digits.substring(0, exponent + 1) + "." + digits.substring(exponent + 1);
    }
}
