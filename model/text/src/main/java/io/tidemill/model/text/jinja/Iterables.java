package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Walking over values. */
final class Iterables {
    private Iterables() {}

    /** Items that can be walked over once, made as they are asked for: what Python calls a generator. */
    record Once(Iterator<Object> iterator) {}

    /** Items that are looked at, and may be refused, only when the first is asked for. */
    static Once later(Supplier<Iterator<Object>> items) {
        return new Once(new Iterator<>() {
            private Iterator<Object> made;

            @Override
            public boolean hasNext() {
                made = made == null ? items.get() : made;
                return made.hasNext();
            }

            @Override
            public Object next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return made.next();
            }
        });
    }

    /** Items in order and how many there are, -1 where only the walk will tell. */
    record Sized(Iterator<Object> iterator, long size) {}

    static boolean isIterable(Object value) {
        return value instanceof String
                || value instanceof Safe
                || value instanceof List
                || value instanceof Map
                || value instanceof Tuple
                || value instanceof View
                || value instanceof Range
                || value instanceof Once
                || value instanceof Undefined;
    }

    /** What a loop walks over: a list, the keys of a mapping, the characters of a string. */
    static Sized of(Object value) {
        if (value instanceof Once once) {
            return new Sized(once.iterator(), -1);
        }
        List<Object> items = known(value);
        return new Sized(items.iterator(), items.size());
    }

    @SuppressWarnings("unchecked")
    private static List<Object> known(Object value) {
        if (value instanceof List<?> items) {
            return (List<Object>) items;
        }
        if (value instanceof Tuple tuple) {
            return tuple.items();
        }
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof View view) {
            return view.list();
        }
        if (value instanceof Range range) {
            return range.numbers();
        }
        if (value instanceof String || value instanceof Safe) {
            List<Object> characters = new ArrayList<>();
            Values.string(value).codePoints().forEach(point -> characters.add(Character.toString(point)));
            return characters;
        }
        if (value instanceof Undefined) {
            return Collections.emptyList();
        }
        throw new JinjaException("a list is needed, but found " + Values.shown(value));
    }

    static List<Object> list(Iterator<Object> iterator) {
        List<Object> items = new ArrayList<>();
        iterator.forEachRemaining(items::add);
        return items;
    }

    /** The items that pass, each tested when it is asked for. */
    static Iterator<Object> filter(Run run, Iterator<Object> items, Predicate<Object> test) {
        return new Iterator<>() {
            private Object ready;
            private boolean isReady;

            @Override
            public boolean hasNext() {
                while (!isReady && items.hasNext()) {
                    run.spend(1);
                    Object item = items.next();
                    if (test.test(item)) {
                        ready = item;
                        isReady = true;
                    }
                }
                return isReady;
            }

            @Override
            public Object next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                isReady = false;
                return ready;
            }
        };
    }
}
