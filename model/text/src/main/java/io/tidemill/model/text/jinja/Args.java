package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The values that a function, method, filter or test is called with, by place and by name. */
record Args(List<Object> places, Map<String, Object> named) {
    static Args of(Object... places) {
        return new Args(new ArrayList<>(java.util.Arrays.asList(places)), new LinkedHashMap<>());
    }

    /** Refuses what a function does not take, by place or by name. */
    Args check(String function, int least, String... names) {
        if (places.size() > names.length) {
            throw new JinjaException(
                    function + " takes at most " + names.length + " arguments, but found " + places.size());
        }
        List<String> known = List.of(names);
        named.keySet().forEach(name -> {
            if (known.indexOf(name) < places.size()) {
                throw new JinjaException(function + " takes no argument '" + name + "' here");
            }
        });
        for (int i = 0; i < least; i++) {
            if (!has(i, names[i])) {
                throw new JinjaException(function + " needs " + least + " arguments");
            }
        }
        return this;
    }

    boolean has(int place, String name) {
        return place < places.size() || named.containsKey(name);
    }

    /** An argument by its place or its name, or {@code absent} where the call leaves it out. */
    Object get(int place, String name, Object absent) {
        return place < places.size() ? places.get(place) : named.getOrDefault(name, absent);
    }

    boolean truth(int place, String name) {
        return Values.isTrue(get(place, name, false));
    }

    long integer(int place, String name, long absent) {
        return Values.integer(get(place, name, absent), "'" + name + "'");
    }

    /** A text; none and anything else is refused. */
    String text(int place, String name, String absent) {
        Object value = get(place, name, absent);
        if (value instanceof String text) {
            return text;
        }
        if (value instanceof Safe safe) {
            return safe.text();
        }
        throw new JinjaException("'" + name + "' needs a text, but found " + Values.shown(value));
    }

    /** The arguments after the first {@code count}. */
    Args after(int count) {
        return new Args(new ArrayList<>(places.subList(count, places.size())), new LinkedHashMap<>(named));
    }
}
