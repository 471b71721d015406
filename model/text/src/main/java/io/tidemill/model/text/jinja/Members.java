package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What stands behind a point or in brackets. As in Jinja a point looks for a method first and for a key then, brackets
 * the other way round; as in its immutable sandbox, what changes a list or mapping and what begins with an underscore
 * is out of reach.
 */
final class Members {
    private static final Set<String> CHANGES_LIST =
            Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort");
    private static final Set<String> CHANGES_MAP = Set.of("clear", "pop", "popitem", "setdefault", "update");
    private static final Set<String> OF_NUMBERS = Set.of(
            "as_integer_ratio",
            "bit_count",
            "bit_length",
            "conjugate",
            "denominator",
            "from_bytes",
            "fromhex",
            "hex",
            "imag",
            "is_integer",
            "numerator",
            "real",
            "to_bytes");
    private static final Set<String> OF_FUNCTIONS =
            Set.of("name", "arguments", "catch_kwargs", "catch_varargs", "caller", "explicit_caller");

    /** A method of a value, which itself has no members. */
    private record Method(Callable callable) implements Callable {
        @Override
        public Object call(Run run, Args args) {
            return callable.call(run, args);
        }
    }

    private Members() {}

    /** {@code owner.name}. */
    static Object attribute(Object owner, String name) {
        Object found = method(owner, name);
        if (found == null && owner instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }
        return found == null ? missing(owner, name) : found;
    }

    /** {@code owner[key]}. */
    static Object item(Object owner, Object key) {
        if (owner instanceof Undefined undefined) {
            throw undefined.fault();
        }
        if (owner instanceof Map<?, ?> map) {
            boolean hashable = !(key instanceof List || key instanceof Map);
            Object looked = hashable ? Values.lookupKey(key) : null;
            if (hashable && map.containsKey(looked)) {
                return map.get(looked);
            }
        } else if (Values.number(key) instanceof Long index) {
            return place(owner, index);
        }
        Object found = key instanceof String name ? method(owner, name) : null;
        return found == null ? missing(owner, key) : found;
    }

    private static Object place(Object owner, long index) {
        if (owner instanceof String text) {
            long size = Values.length(text);
            long place = index < 0 ? size + index : index;
            if (place < 0 || place >= size) {
                return missing(owner, index);
            }
            int at = text.offsetByCodePoints(0, (int) place);
            return Character.toString(text.codePointAt(at));
        }
        if (owner instanceof Range range) {
            long place = index < 0 ? range.length() + index : index;
            return place >= 0 && place < range.length() ? range.at(place) : missing(owner, index);
        }
        if (owner instanceof Safe) {
            throw new JinjaException("places of a text marked 'safe' are not supported");
        }
        List<?> items = owner instanceof List<?> list ? list : owner instanceof Tuple tuple ? tuple.items() : List.of();
        long place = index < 0 ? items.size() + index : index;
        return place >= 0 && place < items.size() ? items.get((int) place) : missing(owner, index);
    }

    private static Object missing(Object owner, Object key) {
        if (owner instanceof Undefined undefined) {
            throw undefined.fault();
        }
        return new Undefined(() -> "'" + Values.shown(key) + "' is undefined in " + Values.shown(owner));
    }

    /** A method or member that Python's type has, or null. */
    private static Object method(Object owner, String name) {
        if (owner instanceof Undefined undefined) {
            throw undefined.fault();
        }
        if (owner instanceof Namespace namespace) {
            Object value = namespace.members().getOrDefault(name, Frame.MISSING);
            return value == Frame.MISSING ? null : name.startsWith("_") ? unsafe(name) : value;
        }
        if (name.startsWith("__")) {
            if (owner instanceof Map<?, ?> map && map.containsKey(name)) {
                throw new JinjaException("the key '" + name + "' of a mapping is not supported");
            }
            return unsafe(name);
        }
        if (owner instanceof Map<?, ?> map) {
            return CHANGES_MAP.contains(name) ? unsafe(name) : ofMap(map, name);
        }
        if (owner instanceof List<?> list) {
            return CHANGES_LIST.contains(name) ? unsafe(name) : ofList(list, name);
        }
        if (owner instanceof Tuple tuple) {
            return name.equals("copy") ? null : ofList(tuple.items(), name);
        }
        if (owner instanceof String text) {
            Callable method = Methods.get(text, name);
            return method == null ? null : new Method(method);
        }
        if (owner instanceof Loop.Position position) {
            return name.startsWith("_") ? null : position.member(name);
        }
        if (owner instanceof Globals.Cycler cycler) {
            return cycler.member(name);
        }
        boolean refused = owner instanceof Safe
                || ((owner instanceof Number || owner instanceof Boolean) && OF_NUMBERS.contains(name))
                || (owner instanceof Callable && !(owner instanceof Method) && OF_FUNCTIONS.contains(name))
                || (owner instanceof Range
                        && Set.of("start", "stop", "step", "count", "index").contains(name))
                || (owner instanceof View && Set.of("mapping", "isdisjoint").contains(name))
                || (owner instanceof Iterables.Once
                        && Set.of("send", "throw", "close").contains(name));
        if (refused) {
            throw new JinjaException("member '" + name + "' of " + Values.shown(owner) + " is not supported");
        }
        return null;
    }

    private static Undefined unsafe(String name) {
        return new Undefined(
                "access to '" + name + "' is not safe: a template may not change values or look inside them");
    }

    private static Object ofMap(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> view(name, View.Kind.ITEMS, map);
            case "keys" -> view(name, View.Kind.KEYS, map);
            case "values" -> view(name, View.Kind.VALUES, map);
            case "get" ->
                new Method((run, args) -> {
                    noNames(name, args.check(name, 1, "key", "default"));
                    Object key = Values.lookupKey(args.get(0, "key", null));
                    return map.containsKey(key) ? map.get(key) : args.get(1, "default", null);
                });
            case "copy" ->
                new Method((run, args) -> {
                    args.check(name, 0);
                    run.spend(map.size());
                    return new java.util.LinkedHashMap<Object, Object>(map);
                });
            case "fromkeys" -> throw new JinjaException("method 'fromkeys' of a mapping is not supported");
            default -> null;
        };
    }

    private static Method view(String name, View.Kind kind, Map<?, ?> map) {
        return new Method((run, args) -> {
            args.check(name, 0);
            run.spend(map.size());
            return new View(kind, map);
        });
    }

    static void noNames(String function, Args args) {
        if (!args.named().isEmpty()) {
            throw new JinjaException(function + " takes no arguments by name");
        }
    }

    private static Object ofList(List<?> list, String name) {
        return switch (name) {
            case "count" ->
                new Method((run, args) -> {
                    run.spend(list.size());
                    Object value = args.check(name, 1, "value").get(0, "value", null);
                    return list.stream()
                            .filter(each -> Values.equal(run, each, value))
                            .count();
                });
            case "index" ->
                new Method((run, args) -> {
                    run.spend(list.size());
                    Object value = args.check(name, 1, "value").get(0, "value", null);
                    for (int i = 0; i < list.size(); i++) {
                        if (Values.equal(run, list.get(i), value)) {
                            return (long) i;
                        }
                    }
                    throw new JinjaException(Values.shown(value) + " is not in the list");
                });
            case "copy" ->
                new Method((run, args) -> {
                    args.check(name, 0);
                    run.spend(list.size());
                    return new ArrayList<Object>(list);
                });
            default -> null;
        };
    }

    /** Python's {@code owner[start:stop:step]}; an absent bound is null. */
    static Object slice(Run run, Object owner, Object start, Object stop, Object step) {
        if (owner instanceof Undefined undefined) {
            throw undefined.fault();
        }
        long by = step == null ? 1 : Values.integer(step, "a slice");
        Long first = start == null ? null : Values.integer(start, "a slice");
        Long last = stop == null ? null : Values.integer(stop, "a slice");
        if (by == 0) {
            throw new JinjaException("step 0 of a slice is not supported");
        }
        if (!(owner instanceof String || owner instanceof List || owner instanceof Tuple)) {
            throw new JinjaException(
                    "a slice is supported of a text, a list or a tuple, but found " + Values.shown(owner));
        }
        if (owner instanceof String text) {
            int[] points = text.codePoints().toArray();
            StringBuilder taken = new StringBuilder();
            walk(points.length, first, last, by, i -> taken.appendCodePoint(points[i]));
            return run.counted(taken.toString());
        }
        List<Object> items = owner instanceof Tuple tuple ? tuple.items() : new ArrayList<>((List<?>) owner);
        List<Object> taken = new ArrayList<>();
        walk(items.size(), first, last, by, i -> taken.add(items.get(i)));
        run.spend(taken.size());
        return owner instanceof Tuple ? new Tuple(taken) : taken;
    }

    private static void walk(int size, Long start, Long stop, long by, java.util.function.IntConsumer use) {
        long from = bound(start, by > 0 ? 0 : size - 1, size, by);
        long to = bound(stop, by > 0 ? size : -1, size, by);
        long step = Math.max(-size - 1L, Math.min(size + 1L, by));
        for (long i = from; by > 0 ? i < to : i > to; i += step) {
            use.accept((int) i);
        }
    }

    private static long bound(Long given, long absent, int size, long by) {
        if (given == null) {
            return absent;
        }
        long place = given < 0 ? given + size : given;
        return Math.max(by > 0 ? 0 : -1, Math.min(by > 0 ? size : size - 1, place));
    }
}
