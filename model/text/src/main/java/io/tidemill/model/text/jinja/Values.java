package io.tidemill.model.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What Python does with values. They are String, {@link Safe}, Boolean, Long, Double, null (none), List, {@link Tuple},
 * Map, and what the other types of this package stand for.
 */
final class Values {
    private Values() {}

    static boolean isTrue(Object value) {
        if (value == null || value instanceof Undefined) {
            return false;
        }
        if (value instanceof Boolean truth) {
            return truth;
        }
        if (value instanceof Number number) {
            return number.doubleValue() != 0;
        }
        return !isSized(value) || length(value) > 0;
    }

    private static boolean isSized(Object value) {
        return Iterables.isIterable(value) && !(value instanceof Iterables.Once);
    }

    /** Python's {@code len}. */
    static long length(Object value) {
        if (value instanceof String text) {
            return text.codePointCount(0, text.length());
        }
        if (value instanceof Safe safe) {
            return length(safe.text());
        }
        if (value instanceof Map<?, ?> map) {
            return map.size();
        }
        if (value instanceof View view) {
            return view.map().size();
        }
        if (value instanceof Range range) {
            return range.length();
        }
        if (value instanceof Loop.Position position) {
            return (long) position.member("length");
        }
        if (!isSized(value)) {
            throw new JinjaException("a length is needed, but found " + shown(value));
        }
        return Iterables.of(value).size();
    }

    /** As Python's {@code str}; the undefined as nothing. */
    static String string(Object value) {
        if (value instanceof String text) {
            return text;
        }
        if (value instanceof Safe safe) {
            return safe.text();
        }
        return value instanceof Undefined ? "" : Text.representation(value);
    }

    /** Python's {@code ==}, counted: shared parts of values are compared as often as they are met. */
    static boolean equal(Run run, Object left, Object right) {
        run.spend(1);
        if (left instanceof Safe || right instanceof Safe) {
            return equal(run, plain(left), plain(right));
        }
        Object a = number(left);
        Object b = number(right);
        if (a instanceof Number x && b instanceof Number y) {
            return Order.compare(x, y) == 0 && !Double.isNaN(x.doubleValue()) && !Double.isNaN(y.doubleValue());
        }
        if (left instanceof List<?> x && right instanceof List<?> y) {
            return equalItems(run, x, y);
        }
        if (left instanceof Tuple x && right instanceof Tuple y) {
            return equalItems(run, x.items(), y.items());
        }
        if (left instanceof Map<?, ?> x && right instanceof Map<?, ?> y) {
            return x.size() == y.size()
                    && x.entrySet().stream()
                            .allMatch(entry -> y.containsKey(entry.getKey())
                                    && equal(run, entry.getValue(), y.get(entry.getKey())));
        }
        if (left instanceof Undefined && right instanceof Undefined) {
            return true;
        }
        if (left instanceof View || right instanceof View) {
            throw new JinjaException(
                    "comparing the keys, values or items of a mapping is not supported; '| list' first");
        }
        if (left instanceof Range x && right instanceof Range y) {
            return equalItems(run, x.numbers(), y.numbers());
        }
        if (left instanceof String text) {
            run.spendWalk(text);
        }
        return left instanceof String || left == null ? Objects.equals(left, right) : left == right;
    }

    private static boolean equalItems(Run run, List<?> left, List<?> right) {
        if (left.size() != right.size()) {
            return false;
        }
        for (int i = 0; i < left.size(); i++) {
            if (!equal(run, left.get(i), right.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static Object plain(Object value) {
        return value instanceof Safe safe ? safe.text() : value;
    }

    /** True and false as the numbers that they are in Python; anything else as it is. */
    static Object number(Object value) {
        return value instanceof Boolean truth ? (Object) (truth ? 1L : 0L) : value;
    }

    static boolean contains(Run run, Object container, Object item) {
        if (container instanceof String || container instanceof Safe) {
            if (plain(item) instanceof String part) {
                run.spendWalk(string(container));
                return string(container).contains(part);
            }
            throw new JinjaException("'in' a text needs a text on its left, but found " + shown(item));
        }
        if (container instanceof Map<?, ?> map) {
            return map.containsKey(lookupKey(item));
        }
        if (container instanceof View view && view.kind() == View.Kind.KEYS) {
            return view.map().containsKey(lookupKey(item));
        }
        if (container instanceof Namespace || !Iterables.isIterable(container)) {
            throw new JinjaException(
                    "'in' needs a string, a list or a mapping on its right, but found " + shown(container));
        }
        var items = Iterables.of(container).iterator();
        while (items.hasNext()) {
            if (equal(run, items.next(), item)) {
                return true;
            }
        }
        return false;
    }

    /**
     * A value as the key of a mapping: numbers that are equal are one key.
     *
     * @throws JinjaException for a list or mapping, which cannot be keys
     */
    static Object key(Object value) {
        if (value instanceof List || value instanceof Map || value instanceof Namespace || value instanceof View) {
            throw new JinjaException("a key must not change, but found " + shown(value));
        }
        if (value instanceof Boolean || value instanceof Double || value instanceof Tuple) {
            throw new JinjaException(
                    "keys of mappings that are neither texts nor whole numbers are not supported, such as "
                            + shown(value));
        }
        return plain(value);
    }

    /** A value as it is looked for among keys. */
    static Object lookupKey(Object value) {
        Object number = number(value);
        return number instanceof Double ? setKey(number) : number instanceof Long ? number : key(value);
    }

    /** A value as a set holds it; here other numbers are well. */
    static Object setKey(Object value) {
        Object number = number(value);
        if (number instanceof Double decimal && decimal == Math.rint(decimal) && Math.abs(decimal) < 1e18) {
            return decimal.longValue();
        }
        return number instanceof Number ? number : key(value);
    }

    static Map<?, ?> mapping(Object value, String what) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new JinjaException(what + " needs a mapping, but found " + shown(value));
    }

    /** All that a loop would walk over. */
    static List<Object> items(Object value) {
        return Iterables.list(Iterables.of(value).iterator());
    }

    static long integer(Object value, String what) {
        Object number = number(value);
        if (number instanceof Long whole) {
            return whole;
        }
        throw new JinjaException(what + " needs a whole number, but found " + shown(value));
    }

    static Callable callable(Object value) {
        if (value instanceof Callable callable) {
            return callable;
        }
        if (value instanceof Loop.Position position) {
            return position::call;
        }
        if (value instanceof Undefined undefined) {
            throw undefined.fault();
        }
        throw new JinjaException("a function is needed, but found " + shown(value));
    }

    /** A value in an error. */
    static String shown(Object value) {
        if (value instanceof Undefined undefined) {
            return "something undefined (" + undefined.reason() + ")";
        }
        String text;
        try {
            text = value instanceof String given ? given : Text.representation(value);
        } catch (JinjaException e) {
            return "a value with a function, loop or namespace";
        }
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }
}
