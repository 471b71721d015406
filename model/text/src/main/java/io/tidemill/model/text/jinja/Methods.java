package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of Python's strings. */
final class Methods {
    private static final Set<String> UNSUPPORTED = Set.of(
            "casefold",
            "encode",
            "expandtabs",
            "format_map",
            "isidentifier",
            "isnumeric",
            "isprintable",
            "maketrans",
            "swapcase",
            "translate",
            "istitle",
            "isdecimal",
            "isascii");

    private Methods() {}

    /** A method of a text, or null if Python's strings have none of that name. */
    static Callable get(String text, String name) {
        Callable method = find(text, name);
        if (method == null && UNSUPPORTED.contains(name)) {
            throw new JinjaException("method '" + name + "' of a text is not supported");
        }
        return method == null
                ? null
                : (run, args) -> {
                    run.spendText(text.length());
                    return method.call(run, args);
                };
    }

    private static Callable find(String text, String name) {
        return switch (name) {
            case "strip" -> (run, args) -> strip(text, name, args, true, true);
            case "lstrip" -> (run, args) -> strip(text, name, args, true, false);
            case "rstrip" -> (run, args) -> strip(text, name, args, false, true);
            case "upper" -> (run, args) -> none(name, args, Text.upper(text));
            case "lower" -> (run, args) -> none(name, args, Text.lower(text));
            case "title" -> (run, args) -> none(name, args, Text.title(text));
            case "capitalize" -> (run, args) -> none(name, args, Text.capitalize(text));
            case "isupper" -> (run, args) -> none(name, args, Text.isUpper(text));
            case "islower" -> (run, args) -> none(name, args, Text.isLower(text));
            case "isspace" -> (run, args) -> none(name, args, all(text, Text::isSpace));
            case "isalpha" -> (run, args) -> none(name, args, all(text, Character::isLetter));
            case "isdigit" -> (run, args) -> none(name, args, all(text, point -> isDigit(point, name)));
            case "isalnum" ->
                (run, args) -> none(name, args, all(text, point -> Character.isLetter(point) || isDigit(point, name)));
            case "startswith" -> (run, args) -> affix(text, name, args, true);
            case "endswith" -> (run, args) -> affix(text, name, args, false);
            case "removeprefix" ->
                (run, args) -> {
                    String prefix = one(name, args);
                    return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
                };
            case "removesuffix" ->
                (run, args) -> {
                    String suffix = one(name, args);
                    return !suffix.isEmpty() && text.endsWith(suffix)
                            ? text.substring(0, text.length() - suffix.length())
                            : text;
                };
            case "find" -> (run, args) -> place(text, text.indexOf(one(name, args)));
            case "rfind" -> (run, args) -> place(text, text.lastIndexOf(one(name, args)));
            case "index" -> (run, args) -> found(text, text.indexOf(one(name, args)), args);
            case "rindex" -> (run, args) -> found(text, text.lastIndexOf(one(name, args)), args);
            case "count" ->
                (run, args) -> {
                    String part = one(name, args);
                    return part.isEmpty()
                            ? Values.length(text) + 1
                            : Text.split(text, part, -1).size() - 1L;
                };
            case "replace" ->
                (run, args) -> {
                    Members.noNames(name, args.check(name, 2, "old", "new", "count"));
                    return Text.replace(
                            run,
                            text,
                            args.text(0, "old", null),
                            args.text(1, "new", null),
                            args.integer(2, "count", -1));
                };
            case "split" ->
                (run, args) -> {
                    args.check(name, 0, "sep", "maxsplit");
                    return spent(run, Text.split(text, separator(args), args.integer(1, "maxsplit", -1)));
                };
            case "rsplit" ->
                (run, args) -> {
                    args.check(name, 0, "sep", "maxsplit");
                    return spent(run, Text.splitRight(text, separator(args), args.integer(1, "maxsplit", -1)));
                };
            case "splitlines" ->
                (run, args) -> spent(
                        run, Text.lines(text, args.check(name, 0, "keepends").truth(0, "keepends")));
            case "partition" -> (run, args) -> partition(text, one(name, args), false);
            case "rpartition" -> (run, args) -> partition(text, one(name, args), true);
            case "join" ->
                (run, args) -> join(run, text, args.check(name, 1, "iterable").get(0, "iterable", null));
            case "zfill" -> (run, args) -> zeros(run, text, width(name, args));
            case "ljust" -> (run, args) -> text + fill(run, text, name, args);
            case "rjust" -> (run, args) -> fill(run, text, name, args) + text;
            case "center" ->
                (run, args) -> {
                    fill(run, text, name, args);
                    return Text.center(text, width(name, args), args.text(1, "fillchar", " "));
                };
            case "format" -> (run, args) -> run.counted(Formats.format(text, args));
            default -> null;
        };
    }

    private static Object none(String name, Args args, Object result) {
        args.check(name, 0);
        return result;
    }

    private static String one(String name, Args args) {
        Members.noNames(name, args.check(name, 1, "text"));
        return args.text(0, "text", null);
    }

    private static Object spent(Run run, List<Object> items) {
        run.spend(items.size());
        return items;
    }

    private static Object strip(String text, String name, Args args, boolean left, boolean right) {
        Members.noNames(name, args.check(name, 0, "chars"));
        boolean given = args.get(0, "chars", null) != null;
        return Text.strip(text, given ? args.text(0, "chars", null) : null, left, right);
    }

    private static String separator(Args args) {
        return args.get(0, "sep", null) == null ? null : args.text(0, "sep", null);
    }

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    private static boolean isDigit(int point, String method) {
        if (Character.getType(point) == Character.OTHER_NUMBER || Character.getType(point) == Character.LETTER_NUMBER) {
            throw new JinjaException(
                    "'" + method + "' of '" + Character.toString(point) + "' is not supported: no plain digit");
        }
        return Character.isDigit(point);
    }

    private static Object affix(String text, String name, Args args, boolean start) {
        Members.noNames(name, args.check(name, 1, "prefix"));
        Object given = args.get(0, "prefix", null);
        List<Object> affixes = given instanceof Tuple tuple ? tuple.items() : java.util.Arrays.asList(given);
        for (Object affix : affixes) {
            String part = Args.of(affix).text(0, "prefix", null);
            if (start ? text.startsWith(part) : text.endsWith(part)) {
                return true;
            }
        }
        return false;
    }

    private static Long place(String text, int index) {
        return index < 0 ? -1L : text.codePointCount(0, index);
    }

    private static Object found(String text, int index, Args args) {
        if (index < 0) {
            throw new JinjaException("'" + Values.shown(args.places().get(0)) + "' is not in the text");
        }
        return place(text, index);
    }

    private static Object partition(String text, String separator, boolean last) {
        if (separator.isEmpty()) {
            throw new JinjaException("a separator must not be empty");
        }
        int cut = last ? text.lastIndexOf(separator) : text.indexOf(separator);
        if (cut < 0) {
            return new Tuple(last ? List.of("", "", text) : List.of(text, "", ""));
        }
        return new Tuple(List.of(text.substring(0, cut), separator, text.substring(cut + separator.length())));
    }

    private static Object join(Run run, String text, Object iterable) {
        List<String> parts = new ArrayList<>();
        for (Object item : Values.items(iterable)) {
            if (!(item instanceof String part)) {
                throw new JinjaException("join needs texts, but found " + Values.shown(item));
            }
            run.spendText(part.length() + (long) text.length());
            parts.add(part);
        }
        return String.join(text, parts);
    }

    private static long width(String name, Args args) {
        Members.noNames(name, args.check(name, 1, "width", "fillchar"));
        return args.integer(0, "width", 0);
    }

    private static String fill(Run run, String text, String name, Args args) {
        long missing = Math.max(0, width(name, args) - Values.length(text));
        String fill = args.text(1, "fillchar", " ");
        if (Values.length(fill) != 1) {
            throw new JinjaException("'" + name + "' fills with one character, but found '" + fill + "'");
        }
        run.spendText(missing);
        return fill.repeat((int) missing);
    }

    private static Object zeros(Run run, String text, long width) {
        long missing = Math.max(0, width - Values.length(text));
        run.spendText(missing);
        boolean signed = text.startsWith("+") || text.startsWith("-");
        return (signed ? text.substring(0, 1) : "") + "0".repeat((int) missing) + (signed ? text.substring(1) : text);
    }
}
