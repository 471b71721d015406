package io.tidemill.bench;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Settings of a benchmark: {@code --name value} pairs, each of a known name. */
final class Flags {
    private final Map<String, String> values = new HashMap<>();

    Flags(String[] arguments, Set<String> known) {
        for (int i = 0; i < arguments.length; i += 2) {
            String name = arguments[i];
            if (!name.startsWith("--") || !known.contains(name.substring(2))) {
                throw new IllegalArgumentException(name + " is no setting; those are --" + String.join(", --", known));
            }
            if (i + 1 == arguments.length) {
                throw new IllegalArgumentException(name + " needs a value behind it");
            }
            values.put(name.substring(2), arguments[i + 1]);
        }
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    int number(String name, int otherwise) {
        return values.containsKey(name) ? Integer.parseInt(values.get(name)) : otherwise;
    }

    double real(String name, double otherwise) {
        return values.containsKey(name) ? Double.parseDouble(values.get(name)) : otherwise;
    }

    boolean flag(String name) {
        return Boolean.parseBoolean(values.get(name));
    }
}
