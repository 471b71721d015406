package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Values.Undefined;
import java.util.HashMap;
import java.util.Map;

/** Variables in sight. A loop opens a scope of its own, so what it sets is gone after it, as in Jinja. */
final class Scope {
    private final Scope outer;
    private final Map<String, Object> variables = new HashMap<>();

    Scope(Map<String, ?> variables) {
        this.outer = null;
        this.variables.putAll(variables);
    }

    private Scope(Scope outer) {
        this.outer = outer;
    }

    Scope inner() {
        return new Scope(this);
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.variables.containsKey(name)) {
                return scope.variables.get(name);
            }
        }
        return new Undefined(name);
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }
}
