package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Values.Namespace;
import io.tidemill.model.text.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The functions, methods, filters and tests that chat templates may use; any other is refused by name when read. */
final class Functions {
    private Functions() {}

    static Expression call(String name, Arguments arguments, int line) {
        return switch (name) {
            case "raise_exception" ->
                scope -> {
                    throw new JinjaException("The chat template says: " + arguments.string(0, "message", scope, ""));
                };
            case "namespace" -> scope -> new Namespace(arguments.named(scope));
            case "range" -> scope -> range(arguments, scope);
            default -> throw unsupported("function", name, "raise_exception, namespace and range", line);
        };
    }

    private static List<Object> range(Arguments arguments, Scope scope) {
        long first = Values.integer(arguments.get(0, "start", scope, 0L), "range");
        boolean one = arguments.places().size() < 2;
        long start = one ? 0 : first;
        long stop = one ? first : Values.integer(arguments.get(1, "stop", scope, 0L), "range");
        long step = Values.integer(arguments.get(2, "step", scope, 1L), "range");
        List<Object> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : step < 0 && i > stop; i += step) {
            if (numbers.size() == 100_000) {
                throw new JinjaException("range is longer than 100000");
            }
            numbers.add(i);
        }
        return numbers;
    }

    static Expression method(Expression owner, String name, Arguments arguments, int line) {
        return switch (name) {
            case "strip" -> scope -> strip(text(owner, name, scope), arguments.string(0, "", scope, null), true, true);
            case "lstrip" ->
                scope -> strip(text(owner, name, scope), arguments.string(0, "", scope, null), true, false);
            case "rstrip" ->
                scope -> strip(text(owner, name, scope), arguments.string(0, "", scope, null), false, true);
            case "upper" -> scope -> text(owner, name, scope).toUpperCase(Locale.ROOT);
            case "lower" -> scope -> text(owner, name, scope).toLowerCase(Locale.ROOT);
            case "startswith" -> scope -> text(owner, name, scope).startsWith(arguments.string(0, "", scope, ""));
            case "endswith" -> scope -> text(owner, name, scope).endsWith(arguments.string(0, "", scope, ""));
            case "replace" ->
                scope -> text(owner, name, scope)
                        .replace(arguments.string(0, "", scope, ""), arguments.string(1, "", scope, ""));
            case "split" -> scope -> split(text(owner, name, scope), arguments.string(0, "sep", scope, null));
            case "items" -> scope -> items(map(owner, name, scope));
            case "keys" ->
                scope -> new ArrayList<Object>(map(owner, name, scope).keySet());
            case "values" ->
                scope -> new ArrayList<Object>(map(owner, name, scope).values());
            case "get" ->
                scope -> {
                    Map<?, ?> map = map(owner, name, scope);
                    Object key = arguments.get(0, "key", scope, null);
                    return map.containsKey(key) ? map.get(key) : arguments.get(1, "default", scope, null);
                };
            default ->
                throw unsupported(
                        "method",
                        name,
                        "strip, lstrip, rstrip, upper, lower, startswith, endswith, replace, split, items, keys, values, get",
                        line);
        };
    }

    static Expression filter(Expression value, String name, Arguments arguments, int line) {
        return switch (name) {
            case "trim" -> scope -> strip(Values.string(value.value(scope)), null, true, true);
            case "length", "count" -> scope -> length(value.value(scope));
            case "upper" -> scope -> Values.string(value.value(scope)).toUpperCase(Locale.ROOT);
            case "lower" -> scope -> Values.string(value.value(scope)).toLowerCase(Locale.ROOT);
            case "capitalize" -> scope -> capitalize(Values.string(value.value(scope)));
            case "string" -> scope -> Values.string(value.value(scope));
            case "list" -> scope -> Values.items(value.value(scope));
            case "items" -> scope -> items(map(value, name, scope));
            case "first" -> scope -> Values.member(Values.items(value.value(scope)), 0L, "first");
            case "last" -> scope -> Values.member(Values.items(value.value(scope)), -1L, "last");
            case "join" ->
                scope -> Values.items(value.value(scope)).stream()
                        .map(Values::string)
                        .collect(Collectors.joining(arguments.string(0, "d", scope, "")));
            case "replace" ->
                scope -> Values.string(value.value(scope))
                        .replace(arguments.string(0, "old", scope, ""), arguments.string(1, "new", scope, ""));
            case "default", "d" ->
                scope -> {
                    Object given = value.value(scope);
                    boolean alsoFalse = Values.isTrue(arguments.get(1, "boolean", scope, false));
                    boolean missing = given instanceof Undefined || (alsoFalse && !Values.isTrue(given));
                    return missing ? arguments.get(0, "default_value", scope, "") : given;
                };
            case "tojson" ->
                scope -> {
                    Object indent = arguments.get(0, "indent", scope, null);
                    return Values.json(value.value(scope), indent == null ? null : Values.integer(indent, "indent"));
                };
            default ->
                throw unsupported(
                        "filter",
                        name,
                        "trim, length, count, upper, lower, capitalize, string, list, items, first, last, join, replace,"
                                + " default, tojson",
                        line);
        };
    }

    static Expression test(Expression value, String name, int line) {
        return switch (name) {
            case "defined" -> scope -> !(value.value(scope) instanceof Undefined);
            case "undefined" -> scope -> value.value(scope) instanceof Undefined;
            case "none" -> scope -> value.value(scope) == null;
            case "string" -> scope -> value.value(scope) instanceof String;
            case "mapping" -> scope -> value.value(scope) instanceof Map;
            case "number" -> scope -> value.value(scope) instanceof Number;
            case "boolean" -> scope -> value.value(scope) instanceof Boolean;
            case "true" -> scope -> Boolean.TRUE.equals(value.value(scope));
            case "false" -> scope -> Boolean.FALSE.equals(value.value(scope));
            case "iterable", "sequence" ->
                scope -> {
                    Object given = value.value(scope);
                    return given instanceof String || given instanceof Collection || given instanceof Map;
                };
            default ->
                throw unsupported(
                        "test",
                        name,
                        "defined, undefined, none, string, mapping, number, boolean, true, false, iterable, sequence",
                        line);
        };
    }

    private static JinjaException unsupported(String kind, String name, String known, int line) {
        return new JinjaException(line, kind + " '" + name + "' is not supported; chat templates may use " + known);
    }

    private static String text(Expression owner, String method, Scope scope) {
        if (owner.value(scope) instanceof String text) {
            return text;
        }
        throw new JinjaException(
                "'" + method + "' is a method of strings, but found " + Values.shown(owner.value(scope)));
    }

    private static Map<?, ?> map(Expression owner, String method, Scope scope) {
        if (owner.value(scope) instanceof Map<?, ?> map) {
            return map;
        }
        throw new JinjaException("'" + method + "' needs a mapping, but found " + Values.shown(owner.value(scope)));
    }

    private static List<Object> items(Map<?, ?> map) {
        List<Object> items = new ArrayList<>();
        map.forEach((key, value) -> items.add(Arrays.asList(key, value)));
        return items;
    }

    private static long length(Object value) {
        return value instanceof String text
                ? text.codePointCount(0, text.length())
                : Values.items(value).size();
    }

    private static String capitalize(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    /** Python's {@code strip}: white space, or any of the given characters. */
    private static String strip(String text, String characters, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && strips(text.charAt(start), characters)) {
            start++;
        }
        while (right && end > start && strips(text.charAt(end - 1), characters)) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean strips(char c, String characters) {
        return characters == null
                ? Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085'
                : characters.indexOf(c) >= 0;
    }

    private static List<Object> split(String text, String separator) {
        List<Object> parts = new ArrayList<>();
        if (separator == null) {
            Arrays.stream(text.strip().split("\\s+"))
                    .filter(part -> !part.isEmpty())
                    .forEach(parts::add);
            return parts;
        }
        if (separator.isEmpty()) {
            throw new JinjaException("split needs a separator that is not empty");
        }
        int start = 0;
        for (int i = text.indexOf(separator); i >= 0; i = text.indexOf(separator, start)) {
            parts.add(text.substring(start, i));
            start = i + separator.length();
        }
        parts.add(text.substring(start));
        return parts;
    }
}
