package io.tidemill.model.text.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Arguments of a call, by place and by name. */
record Arguments(List<Expression> places, Map<String, Expression> names) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /** An argument by its place or its name, or {@code absent} where the call leaves it out. */
    Object get(int place, String name, Scope scope, Object absent) {
        if (place < places.size()) {
            return places.get(place).value(scope);
        }
        return names.containsKey(name) ? names.get(name).value(scope) : absent;
    }

    String string(int place, String name, Scope scope, String absent) {
        Object value = get(place, name, scope, absent);
        return value == null ? null : Values.string(value);
    }

    Map<String, Object> named(Scope scope) {
        Map<String, Object> values = new LinkedHashMap<>();
        names.forEach((name, value) -> values.put(name, value.value(scope)));
        return values;
    }
}
