package io.tidemill.trainer.offline.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.stream.Collectors;

/**
 * What a key's value may be. Values come from YAML or, as text, from a flag.
 *
 * @param placeholder how help shows it
 */
public record ValueType<T>(String placeholder, Reading<T> reading) {
    /** A value that the key does not take. */
    static final class Unusable extends Exception {
        private static final long serialVersionUID = 1L;

        Unusable(String expected, String found) {
            super("must be " + expected + ", but was " + found);
        }
    }

    /** Makes a value of what stands in the file. */
    @FunctionalInterface
    interface Reading<T> {
        T of(JsonNode node) throws Unusable;
    }

    T read(JsonNode node) throws Unusable {
        return reading.of(node);
    }

    /** Text; a number or truth value that stands for itself is text as well. */
    static ValueType<String> text(String placeholder) {
        return new ValueType<>(placeholder, node -> {
            if (!node.isValueNode() || node.isNull() || node.asText().isEmpty()) {
                throw new Unusable("text", shown(node));
            }
            return node.asText();
        });
    }

    /** One of a few words; capitals and underscores do not matter. */
    static ValueType<String> choice(String... words) {
        return new ValueType<>(String.join("|", words), node -> {
            String said = node.asText().toLowerCase(Locale.ROOT).replace('_', '-');
            for (String word : words) {
                if (node.isValueNode() && said.equals(word.replace('_', '-'))) {
                    return word;
                }
            }
            throw new Unusable("one of " + String.join(", ", words), shown(node));
        });
    }

    /** A whole number. */
    static ValueType<Long> whole(long least, long most) {
        String expected = most == Long.MAX_VALUE
                ? "a whole number, " + least + " or more"
                : "a whole number from " + least + " to " + most;
        return new ValueType<>("N", node -> {
            try {
                if (node.isValueNode() && !node.isBoolean() && !node.isNull()) {
                    long value = new BigDecimal(node.asText().strip()).longValueExact();
                    if (value >= least && value <= most) {
                        return value;
                    }
                }
            } catch (ArithmeticException | NumberFormatException noWholeNumber) {
                // said below
            }
            throw new Unusable(expected, shown(node));
        });
    }

    /** A number, also as {@code 1e-4}, which YAML takes for text. */
    static ValueType<Double> number(String expected, DoublePredicate allowed) {
        return new ValueType<>("X", node -> {
            try {
                if (node.isValueNode() && !node.isBoolean() && !node.isNull()) {
                    double value = Double.parseDouble(node.asText().strip());
                    if (Double.isFinite(value) && allowed.test(value)) {
                        return value;
                    }
                }
            } catch (NumberFormatException noNumber) {
                // said below
            }
            throw new Unusable(expected, shown(node));
        });
    }

    static ValueType<Boolean> truth() {
        return new ValueType<>("true|false", node -> switch (node.asText().toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new Unusable("true or false", shown(node));
        });
    }

    /** A list of texts; one text, with commas, does as well. */
    static ValueType<List<String>> texts(String placeholder) {
        return new ValueType<>(placeholder + ",…", node -> {
            if (node.isValueNode() && !node.isNull()) {
                return Arrays.stream(node.asText().split(","))
                        .map(String::strip)
                        .filter(text -> !text.isEmpty())
                        .toList();
            }
            if (!node.isArray()) {
                throw new Unusable("a list of texts", shown(node));
            }
            List<String> texts = new ArrayList<>();
            for (JsonNode element : node) {
                if (!element.isValueNode() || element.isNull()) {
                    throw new Unusable("a list of texts", shown(node));
                }
                texts.add(element.asText());
            }
            return List.copyOf(texts);
        });
    }

    /** Names with values, all as text; lists become text with commas. */
    static ValueType<Map<String, String>> names(String placeholder) {
        return new ValueType<>(placeholder, ValueType::map);
    }

    /** A list of such. */
    static ValueType<List<Map<String, String>>> listOfNames(String placeholder) {
        return new ValueType<>(placeholder, node -> {
            if (!node.isArray()) {
                throw new Unusable("a list of names with values", shown(node));
            }
            List<Map<String, String>> maps = new ArrayList<>();
            for (JsonNode element : node) {
                maps.add(map(element));
            }
            return List.copyOf(maps);
        });
    }

    private static Map<String, String> map(JsonNode node) throws Unusable {
        if (!node.isObject()) {
            throw new Unusable("names with values, as in {name: value}", shown(node));
        }
        Map<String, String> map = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            JsonNode value = field.getValue();
            if (value.isArray()) {
                List<String> parts = new ArrayList<>();
                value.forEach(part -> parts.add(part.asText()));
                map.put(field.getKey(), String.join(",", parts));
            } else if (value.isValueNode() && !value.isNull()) {
                map.put(field.getKey(), value.asText());
            } else {
                throw new Unusable("names with values", field.getKey() + ": " + shown(value));
            }
        }
        return java.util.Collections.unmodifiableMap(map);
    }

    /** A value as a sentence shows it. */
    static String shown(JsonNode node) {
        String text = node.isTextual() ? "'" + node.asText() + "'" : node.toString();
        return text.length() <= 80 ? text : text.substring(0, 80) + "…";
    }

    /** For help: a value as the command line would have it. */
    static String told(Object value) {
        if (value instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1e6) {
            return String.valueOf(number.longValue());
        }
        if (value instanceof List<?> list) {
            return list.stream().map(String::valueOf).collect(Collectors.joining(","));
        }
        return String.valueOf(value);
    }
}
