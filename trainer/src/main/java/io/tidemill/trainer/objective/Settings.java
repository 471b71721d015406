package io.tidemill.trainer.objective;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** The settings of an objective: what was given, and defaults for the rest. */
final class Settings {
    private final Map<String, String> values;

    private Settings(Map<String, String> values) {
        this.values = values;
    }

    /**
     * Reads what was given.
     *
     * @throws IllegalArgumentException naming everything that is not accepted, and what is
     */
    static Settings of(String objective, List<Parameter> parameters, Map<String, String> given) {
        Map<String, String> values = new HashMap<>();
        Map<String, String> unknown = new TreeMap<>(given);
        List<String> problems = new ArrayList<>();
        for (Parameter parameter : parameters) {
            unknown.remove(parameter.name());
            String value = given.getOrDefault(parameter.name(), parameter.defaultValue());
            if (!parameter.accepts(value)) {
                problems.add(parameter.name() + " of objective " + objective + " must be " + parameter.accepted()
                        + ", but was " + value);
            }
            values.put(parameter.name(), value.strip());
        }
        for (String name : unknown.keySet()) {
            problems.add("objective " + objective + " has no parameter " + name + ". " + takes(parameters));
        }
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", problems));
        }
        return new Settings(values);
    }

    private static String takes(List<Parameter> parameters) {
        if (parameters.isEmpty()) {
            return "It takes none";
        }
        return "It takes "
                + String.join(
                        ", ",
                        parameters.stream()
                                .map(parameter -> parameter.name() + " (" + parameter.accepted() + "; default "
                                        + parameter.defaultValue() + ")")
                                .toList());
    }

    double number(String name) {
        return Double.parseDouble(values.get(name));
    }

    int count(String name) {
        return (int) number(name);
    }

    OptionalDouble optional(String name) {
        return values.get(name).equals(Parameter.NONE) ? OptionalDouble.empty() : OptionalDouble.of(number(name));
    }

    boolean flag(String name) {
        return Boolean.parseBoolean(values.get(name));
    }

    String word(String name) {
        return values.get(name);
    }
}
