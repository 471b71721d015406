package io.tidemill.model.text.jinja;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** What Python does with values: strings, booleans, longs, doubles, null (none), lists, maps, and the undefined. */
final class Values {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What a missing variable or member is: prints as nothing, is false, and refuses to be looked into. */
    record Undefined(String name) {}

    /** The only value whose members a template may set. */
    static final class Namespace {
        final Map<String, Object> members;

        Namespace(Map<String, Object> members) {
            this.members = members;
        }
    }

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
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof Collection<?> items) {
            return !items.isEmpty();
        }
        return !(value instanceof Map<?, ?> map) || !map.isEmpty();
    }

    /** As Python's {@code str}; the undefined as nothing. */
    static String string(Object value) {
        return value instanceof String text ? text : value instanceof Undefined ? "" : representation(value);
    }

    private static String representation(Object value) {
        if (value == null) {
            return "None";
        }
        if (value instanceof Boolean truth) {
            return truth ? "True" : "False";
        }
        if (value instanceof String text) {
            char quote = text.contains("'") && !text.contains("\"") ? '"' : '\'';
            String escaped = text.replace("\\", "\\\\")
                    .replace("\n", "\\n")
                    .replace("\r", "\\r")
                    .replace("\t", "\\t");
            return quote + (quote == '\'' ? escaped.replace("'", "\\'") : escaped) + quote;
        }
        if (value instanceof List<?> items) {
            return items.stream().map(Values::representation).collect(Collectors.joining(", ", "[", "]"));
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> representation(entry.getKey()) + ": " + representation(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        return String.valueOf(value);
    }

    static boolean equal(Object left, Object right) {
        if (left instanceof Number a && right instanceof Number b) {
            return a.doubleValue() == b.doubleValue();
        }
        return Objects.equals(left, right);
    }

    static boolean contains(Object container, Object item) {
        if (container instanceof String text) {
            return item instanceof String part && text.contains(part);
        }
        if (container instanceof Collection<?> items) {
            return items.stream().anyMatch(each -> equal(each, item));
        }
        if (container instanceof Map<?, ?> map) {
            return map.containsKey(item);
        }
        if (container instanceof Undefined) {
            return false;
        }
        throw new JinjaException(
                "'in' needs a string, a list or a mapping on its right, but found " + shown(container));
    }

    static Object member(Object owner, Object key, String shown) {
        if (owner instanceof Namespace namespace && key instanceof String name) {
            return namespace.members.containsKey(name) ? namespace.members.get(name) : new Undefined(shown);
        }
        if (owner instanceof Map<?, ?> map) {
            return map.containsKey(key) ? map.get(key) : new Undefined(shown);
        }
        if (owner instanceof List<?> items && key instanceof Long index) {
            long place = index < 0 ? items.size() + index : index;
            return place >= 0 && place < items.size() ? items.get((int) place) : new Undefined(shown);
        }
        if (owner instanceof String text && key instanceof Long index) {
            long place = index < 0 ? text.length() + index : index;
            boolean inside = place >= 0 && place < text.length();
            return inside ? String.valueOf(text.charAt((int) place)) : new Undefined(shown);
        }
        if (owner instanceof Undefined undefined) {
            throw new JinjaException("'" + undefined.name() + "' is undefined, so '" + shown + "' cannot be read");
        }
        return new Undefined(shown);
    }

    /** Python's {@code owner[start:stop:step]}; an absent bound is null. */
    static Object slice(Object owner, Long start, Long stop, Long step) {
        List<Object> items = new ArrayList<>();
        if (owner instanceof String text) {
            text.chars().forEach(c -> items.add((char) c));
        } else {
            items.addAll(items(owner));
        }
        int by = step == null ? 1 : Math.toIntExact(step);
        if (by == 0) {
            throw new JinjaException("step of a slice must not be 0");
        }
        int size = items.size();
        int from = bound(start, by > 0 ? 0 : size - 1, size, by);
        int to = bound(stop, by > 0 ? size : -1, size, by);
        List<Object> taken = new ArrayList<>();
        for (int i = from; by > 0 ? i < to : i > to; i += by) {
            taken.add(items.get(i));
        }
        return owner instanceof String ? taken.stream().map(String::valueOf).collect(Collectors.joining()) : taken;
    }

    private static int bound(Long given, int absent, int size, int by) {
        if (given == null) {
            return absent;
        }
        long place = given < 0 ? given + size : given;
        return (int) Math.max(by > 0 ? 0 : -1, Math.min(by > 0 ? size : size - 1, place));
    }

    /** What a loop walks over: a list, the keys of a mapping, the characters of a string. */
    static List<Object> items(Object value) {
        if (value instanceof Collection<?> items) {
            return new ArrayList<>(items);
        }
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof String text) {
            return new ArrayList<>(
                    text.codePoints().mapToObj(Character::toString).toList());
        }
        if (value instanceof Undefined) {
            return new ArrayList<>();
        }
        throw new JinjaException("a list is needed, but found " + shown(value));
    }

    static Object add(Object left, Object right) {
        if (left instanceof String a && right instanceof String b) {
            return a + b;
        }
        if (left instanceof Long a && right instanceof Long b) {
            return a + b;
        }
        if (left instanceof Number a && right instanceof Number b) {
            return a.doubleValue() + b.doubleValue();
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            List<Object> both = new ArrayList<>(a);
            both.addAll(b);
            return both;
        }
        throw new JinjaException("'+' cannot join " + shown(left) + " and " + shown(right) + "; '~' joins as text");
    }

    static long integer(Object value, String what) {
        if (value instanceof Long number) {
            return number;
        }
        throw new JinjaException(what + " needs a whole number, but found " + shown(value));
    }

    static int compare(Object left, Object right) {
        if (left instanceof Number a && right instanceof Number b) {
            return Double.compare(a.doubleValue(), b.doubleValue());
        }
        if (left instanceof String a && right instanceof String b) {
            return a.compareTo(b);
        }
        throw new JinjaException("cannot compare " + shown(left) + " with " + shown(right));
    }

    /** As transformers' {@code tojson}: Python's separators, nothing escaped that need not be. */
    static String json(Object value, Long indent) {
        try {
            return JSON.writer(indent == null ? new OneLine() : indented(Math.toIntExact(indent)))
                    .writeValueAsString(value instanceof Undefined ? null : value);
        } catch (JsonProcessingException e) {
            throw new JinjaException("tojson cannot write " + shown(value) + ": " + e.getOriginalMessage());
        }
    }

    private static DefaultPrettyPrinter indented(int spaces) {
        DefaultIndenter indenter = new DefaultIndenter(" ".repeat(spaces), "\n");
        DefaultPrettyPrinter printer = new DefaultPrettyPrinter() {
            private static final long serialVersionUID = 1;

            @Override
            public DefaultPrettyPrinter createInstance() {
                return this;
            }

            @Override
            public void writeObjectFieldValueSeparator(com.fasterxml.jackson.core.JsonGenerator generator)
                    throws java.io.IOException {
                generator.writeRaw(": ");
            }
        };
        printer.indentArraysWith(indenter);
        printer.indentObjectsWith(indenter);
        return printer;
    }

    /** {@code {"a": 1, "b": [1, 2]}}. */
    private static final class OneLine extends MinimalPrettyPrinter {
        private static final long serialVersionUID = 1;

        @Override
        public void writeObjectFieldValueSeparator(com.fasterxml.jackson.core.JsonGenerator generator)
                throws java.io.IOException {
            generator.writeRaw(": ");
        }

        @Override
        public void writeObjectEntrySeparator(com.fasterxml.jackson.core.JsonGenerator generator)
                throws java.io.IOException {
            generator.writeRaw(", ");
        }

        @Override
        public void writeArrayValueSeparator(com.fasterxml.jackson.core.JsonGenerator generator)
                throws java.io.IOException {
            generator.writeRaw(", ");
        }
    }

    static String shown(Object value) {
        if (value instanceof Undefined undefined) {
            return "undefined '" + undefined.name() + "'";
        }
        String text = representation(value);
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }
}
