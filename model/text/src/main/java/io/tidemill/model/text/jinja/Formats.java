package io.tidemill.model.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways to put values into a text: {@code "%s" % value} and {@code "{}".format(value)}. */
final class Formats {
    private static final int LARGEST_WIDTH = 1000;
    private static final Pattern PERCENT =
            Pattern.compile("%(?:\\(([^()]*)\\))?([-+ 0#]*)(\\d{0,4})(?:\\.(\\d{0,4}))?(.)?", Pattern.DOTALL);
    private static final Pattern FIELD = Pattern.compile("\\{\\{|\\}\\}|\\{(\\w*)(![rs])?(?::([^{}]*))?\\}|[{}]");
    private static final Pattern SPEC = Pattern.compile("(<|>|\\^)?(0)?(\\d{0,4})(?:\\.(\\d{1,4}))?([dsf])?");

    private Formats() {}

    static String percent(String format, Object values) {
        boolean tuple = values instanceof Tuple;
        List<Object> places = values instanceof Tuple given ? given.items() : java.util.Arrays.asList(values);
        int next = 0;
        StringBuilder text = new StringBuilder();
        Matcher matcher = PERCENT.matcher(format);
        int at = 0;
        while (matcher.find()) {
            text.append(format, at, matcher.start());
            at = matcher.end();
            String kind = matcher.group(5);
            if (kind == null) {
                throw new JinjaException("'%' at the end of a format is incomplete");
            }
            if (kind.equals("%")) {
                if (matcher.group().length() != 2) {
                    throw new JinjaException("format '" + matcher.group() + "' is not supported");
                }
                text.append('%');
                continue;
            }
            Object value;
            if (matcher.group(1) != null) {
                Map<?, ?> map = Values.mapping(values, "'" + matcher.group() + "'");
                if (!map.containsKey(matcher.group(1))) {
                    throw new JinjaException("'" + matcher.group(1) + "' is missing in the values of a format");
                }
                value = map.get(matcher.group(1));
                next = places.size();
            } else if (next < places.size()) {
                value = places.get(next++);
            } else {
                throw new JinjaException("a format needs more values than the " + places.size() + " given");
            }
            text.append(percentValue(matcher, value));
        }
        // Python does not miss what stands between brackets, of whatever type it is.
        boolean mapping = values instanceof Map
                || values instanceof List
                || values instanceof Range
                || values instanceof Undefined;
        if (next < places.size() && (tuple || !mapping)) {
            throw new JinjaException("a format leaves values over");
        }
        return text.append(format.substring(at)).toString();
    }

    private static String percentValue(Matcher format, Object value) {
        String flags = format.group(2);
        String precision = format.group(4);
        if (flags.contains("#") || flags.contains(" ")) {
            throw new JinjaException("format '" + format.group() + "' is not supported");
        }
        String text =
                switch (format.group(5)) {
                    case "s" -> cut(Values.string(value), precision);
                    case "r" -> cut(Text.representation(value), precision);
                    case "d", "i" -> {
                        if (precision != null) {
                            throw new JinjaException("format '" + format.group() + "' is not supported");
                        }
                        yield String.valueOf(whole(value));
                    }
                    case "f" ->
                        fixed(value, precision == null ? 6 : precision.isEmpty() ? 0 : Integer.parseInt(precision));
                    case "x" -> hexadecimal(value, precision);
                    default -> throw new JinjaException("format '" + format.group() + "' is not supported");
                };
        boolean number = "dif".contains(format.group(5));
        if (number && flags.contains("+") && !text.startsWith("-")) {
            text = "+" + text;
        }
        boolean zeros = flags.contains("0") && !flags.contains("-") && !"sr".contains(format.group(5));
        return padded(text, format.group(3), flags.contains("-") ? '<' : '>', zeros);
    }

    private static String hexadecimal(Object value, String precision) {
        long whole = Values.integer(value, "'%x'");
        if (precision != null || whole < 0) {
            throw new JinjaException("format '%x' is supported for whole numbers that are not negative");
        }
        return Long.toHexString(whole);
    }

    private static String cut(String text, String precision) {
        if (precision == null || Values.length(text) <= (precision.isEmpty() ? 0 : Integer.parseInt(precision))) {
            return text;
        }
        return text.substring(0, text.offsetByCodePoints(0, precision.isEmpty() ? 0 : Integer.parseInt(precision)));
    }

    private static long whole(Object value) {
        Object number = Values.number(value);
        if (number instanceof Double decimal && Math.abs(decimal) < 1e18) {
            return decimal.longValue();
        }
        return Values.integer(value, "a format");
    }

    private static String fixed(Object value, int digits) {
        if (!(Values.number(value) instanceof Number number)
                || (number instanceof Double decimal && (decimal.isNaN() || decimal.isInfinite()))) {
            throw new JinjaException("a format needs a number, but found " + Values.shown(value));
        }
        BigDecimal exact =
                number instanceof Long whole ? BigDecimal.valueOf(whole) : new BigDecimal(number.doubleValue());
        String text = exact.setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
        boolean negative = number instanceof Double decimal && 1 / decimal < 0 || number.doubleValue() < 0;
        return negative && !text.startsWith("-") ? "-" + text : text;
    }

    private static String padded(String text, String width, char align, boolean zeros) {
        int wanted = width.isEmpty() ? 0 : Integer.parseInt(width);
        if (wanted > LARGEST_WIDTH) {
            throw new JinjaException("a format may be " + LARGEST_WIDTH + " wide, but is " + wanted);
        }
        int missing = (int) Math.max(0, wanted - Values.length(text));
        if (zeros) {
            boolean signed = text.startsWith("-") || text.startsWith("+");
            return (signed ? text.substring(0, 1) : "") + "0".repeat(missing) + (signed ? text.substring(1) : text);
        }
        int left = align == '<' ? 0 : align == '>' ? missing : missing / 2;
        return " ".repeat(left) + text + " ".repeat(missing - left);
    }

    static String format(String format, Args args) {
        StringBuilder text = new StringBuilder();
        Matcher matcher = FIELD.matcher(format);
        int at = 0;
        int next = 0;
        boolean numbered = false;
        while (matcher.find()) {
            text.append(format, at, matcher.start());
            at = matcher.end();
            String found = matcher.group();
            if (found.equals("{{") || found.equals("}}")) {
                text.append(found.charAt(0));
                continue;
            }
            String name = matcher.group(1);
            if (name == null) {
                throw new JinjaException("format '" + format + "' has a field that is not supported or not closed");
            }
            Object value;
            if (name.isEmpty() || name.matches("[0-9]+")) {
                if (numbered == name.isEmpty() && (numbered || next > 0)) {
                    throw new JinjaException("format '" + format + "' mixes fields with and without numbers");
                }
                numbered = !name.isEmpty();
                int place = numbered ? Integer.parseInt(name.substring(0, Math.min(6, name.length()))) : next++;
                if (place >= args.places().size()) {
                    throw new JinjaException("format '" + format + "' needs more values");
                }
                value = args.places().get(place);
            } else if (args.named().containsKey(name)) {
                value = args.named().get(name);
            } else {
                throw new JinjaException("format '" + format + "' needs a value for '" + name + "'");
            }
            String spec = matcher.group(3) == null ? "" : matcher.group(3);
            if ("!r".equals(matcher.group(2))) {
                value = Text.representation(value);
            } else if ("!s".equals(matcher.group(2))) {
                value = Values.string(value);
            }
            text.append(spec.isEmpty() ? Values.string(value) : formatted(value, spec));
        }
        return text.append(format.substring(at)).toString();
    }

    private static String formatted(Object value, String spec) {
        Matcher matcher = SPEC.matcher(spec);
        String kind = matcher.matches() && matcher.group(5) != null ? matcher.group(5) : "";
        boolean number = value instanceof Long || value instanceof Double;
        boolean ok = matcher.matches()
                && switch (kind) {
                    case "d" -> value instanceof Long && matcher.group(4) == null;
                    case "f" -> number;
                    case "s" -> value instanceof String && matcher.group(2) == null;
                    default ->
                        (value instanceof String && matcher.group(2) == null)
                                || (value instanceof Long && matcher.group(4) == null);
                };
        if (!ok) {
            throw new JinjaException("format '" + spec + "' of " + Values.shown(value) + " is not supported");
        }
        String text = kind.equals("f")
                ? fixed(value, matcher.group(4) == null ? 6 : Integer.parseInt(matcher.group(4)))
                : value instanceof String string ? cut(string, matcher.group(4)) : Values.string(value);
        boolean zeros = matcher.group(2) != null;
        if (zeros && matcher.group(1) != null) {
            throw new JinjaException("format '" + spec + "' is not supported");
        }
        char align = matcher.group(1) == null
                ? (number ? '>' : '<')
                : matcher.group(1).charAt(0);
        return padded(text, matcher.group(3), align, zeros);
    }
}
