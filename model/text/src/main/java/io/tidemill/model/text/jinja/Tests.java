package io.tidemill.model.text.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;

/** The tests after {@code is}: all of Jinja's. */
final class Tests {
    private static final Map<String, Filters.Filter> TESTS = new HashMap<>();

    static {
        plain("defined", value -> !(value instanceof Undefined));
        plain("undefined", value -> value instanceof Undefined);
        plain("none", value -> value == null);
        plain("string", value -> value instanceof String || value instanceof Safe);
        plain("mapping", value -> value instanceof Map);
        plain("number", value -> value instanceof Number || value instanceof Boolean);
        plain("integer", value -> value instanceof Long);
        plain("float", value -> value instanceof Double);
        plain("boolean", value -> value instanceof Boolean);
        plain("true", Boolean.TRUE::equals);
        plain("false", Boolean.FALSE::equals);
        plain("iterable", value -> Iterables.isIterable(value) || value instanceof Loop.Position);
        plain("sequence", Tests::isSequence);
        plain(
                "callable",
                value -> value instanceof Callable || value instanceof Loop.Position || value instanceof Undefined);
        plain("escaped", value -> value instanceof Safe);
        plain("lower", value -> Text.isLower(Values.string(value)));
        plain("upper", value -> Text.isUpper(Values.string(value)));
        put("odd", (run, value, args) -> {
            args.check("odd", 0);
            return Values.equal(run, Arithmetic.remainder(run, numeric(value), 2L), 1L);
        });
        put("even", (run, value, args) -> {
            args.check("even", 0);
            return Values.equal(run, Arithmetic.remainder(run, numeric(value), 2L), 0L);
        });
        put(
                "divisibleby",
                (run, value, args) -> Values.equal(
                        run,
                        Arithmetic.remainder(
                                run,
                                numeric(value),
                                args.check("divisibleby", 1, "num").get(0, "num", null)),
                        0L));
        put(
                "sameas",
                (run, value, args) ->
                        same(value, args.check("sameas", 1, "other").get(0, "other", null)));
        put(
                "in",
                (run, value, args) ->
                        Values.contains(run, args.check("in", 1, "seq").get(0, "seq", null), value));
        put("filter", (run, value, args) -> Filters.exists(name(value)));
        put("test", (run, value, args) -> get(name(value)) != null);
        for (String name : List.of("==", "eq", "equalto")) {
            put(name, (run, value, args) -> Values.equal(run, value, other(args)));
        }
        for (String name : List.of("!=", "ne")) {
            put(name, (run, value, args) -> !Values.equal(run, value, other(args)));
        }
        order("<", "lt", "lessthan");
        order("<=", "le");
        order(">", "gt", "greaterthan");
        order(">=", "ge");
    }

    private Tests() {}

    static Filters.Filter get(String name) {
        return TESTS.get(name);
    }

    static String known() {
        return String.join(", ", new TreeSet<>(TESTS.keySet()));
    }

    private static void put(String name, Filters.Filter test) {
        TESTS.put(name, test);
    }

    private static void plain(String name, Predicate<Object> test) {
        put(name, (run, value, args) -> {
            args.check("test '" + name + "'", 0);
            return test.test(value);
        });
    }

    private static void order(String operator, String... names) {
        Filters.Filter test = (run, value, args) -> Order.test(run, operator, value, other(args));
        put(operator, test);
        for (String name : names) {
            put(name, test);
        }
    }

    private static Object other(Args args) {
        if (args.places().size() != 1 || !args.named().isEmpty()) {
            throw new JinjaException("a comparison needs one value to compare with");
        }
        return args.places().get(0);
    }

    /** A text before {@code %} would be a format. */
    private static Object numeric(Object value) {
        if (value instanceof String || value instanceof Safe) {
            throw new JinjaException("a number is needed, but found " + Values.shown(value));
        }
        return value;
    }

    private static boolean isSequence(Object value) {
        return value instanceof Undefined
                || value instanceof String
                || value instanceof Safe
                || value instanceof List
                || value instanceof Tuple
                || value instanceof Map
                || value instanceof Range;
    }

    private static boolean same(Object value, Object other) {
        if (value == null || other == null || value instanceof Boolean || other instanceof Boolean) {
            return value == null ? other == null : value.equals(other);
        }
        if (value instanceof Number || value instanceof String || value instanceof Safe || value instanceof Tuple) {
            throw new JinjaException("'sameas' of numbers, texts and tuples is not supported; use '=='");
        }
        return value == other;
    }

    private static String name(Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw new JinjaException("a name is needed, but found " + Values.shown(value));
    }
}
