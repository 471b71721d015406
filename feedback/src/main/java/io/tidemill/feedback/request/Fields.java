package io.tidemill.feedback.request;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The fields of one JSON object of a request, read one by one. Each reader checks type and range; what nobody has asked
 * for is refused by {@link #nothingElse}. {@code null} is the same as absent.
 */
public final class Fields {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final JsonNode node;
    private final String path;
    private final TreeSet<String> known = new TreeSet<>();

    private Fields(JsonNode node, String path) {
        this.node = node;
        this.path = path;
    }

    /** The body as one JSON object with nothing after it. */
    public static Fields ofObject(byte[] body) {
        return of(parse(body), "");
    }

    /** An object inside a request; {@code path} names it in errors. */
    public static Fields of(JsonNode node, String path) {
        if (!node.isObject()) {
            throw InvalidRequest.value(path.isEmpty() ? "body" : path, node, "a JSON object");
        }
        return new Fields(node, path);
    }

    /** Any one JSON value with nothing after it. */
    public static JsonNode parse(byte[] body) {
        try {
            JsonNode node = JSON.readTree(body);
            if (node == null || node.isMissingNode()) {
                throw InvalidRequest.missing("body", "a JSON object");
            }
            return node;
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            String place = at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
            throw InvalidRequest.value("body", e.getOriginalMessage() + place, "JSON");
        } catch (IOException e) {
            throw InvalidRequest.value("body", e.getMessage(), "JSON");
        }
    }

    public boolean has(String name) {
        return get(name) != null;
    }

    public Optional<String> text(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw InvalidRequest.value(full(name), value, "a string");
        }
        return Optional.of(value.textValue());
    }

    /** A string that must be there and not be blank. */
    public String requiredText(String name, String expected) {
        String text = text(name).orElseThrow(() -> InvalidRequest.missing(full(name), expected));
        if (text.isBlank()) {
            throw InvalidRequest.value(full(name), '"' + text + '"', expected);
        }
        return text;
    }

    public Optional<Double> number(String name, double min, double max) {
        JsonNode value = get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isNumber() || !(value.doubleValue() >= min && value.doubleValue() <= max)) {
            throw InvalidRequest.value(full(name), value, "a number from " + plain(min) + " to " + plain(max));
        }
        return Optional.of(value.doubleValue());
    }

    public Optional<Long> integer(String name, long min, long max) {
        JsonNode value = get(name);
        if (value == null) {
            return Optional.empty();
        }
        boolean whole = value.isIntegralNumber() && value.canConvertToLong();
        if (!whole || value.longValue() < min || value.longValue() > max) {
            throw InvalidRequest.value(full(name), value, "a whole number from " + min + " to " + max);
        }
        return Optional.of(value.longValue());
    }

    public Optional<Boolean> flag(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isBoolean()) {
            throw InvalidRequest.value(full(name), value, "true or false");
        }
        return Optional.of(value.booleanValue());
    }

    public Optional<Fields> object(String name) {
        return Optional.ofNullable(get(name)).map(value -> of(value, full(name)));
    }

    /** The objects of an array; empty where the field is absent. */
    public List<Fields> objects(String name) {
        List<Fields> objects = new ArrayList<>();
        for (JsonNode element : array(name)) {
            objects.add(of(element, full(name) + "[" + objects.size() + "]"));
        }
        return objects;
    }

    /** The strings of an array. */
    public List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        for (JsonNode element : array(name)) {
            if (!element.isTextual()) {
                throw InvalidRequest.value(full(name) + "[" + texts.size() + "]", element, "a string");
            }
            texts.add(element.textValue());
        }
        return texts;
    }

    /** The value as it came, where a field has several forms. */
    public Optional<JsonNode> any(String name) {
        return Optional.ofNullable(get(name));
    }

    /** A field of the interface that is understood but has no effect here, so only neutral values may stand in it. */
    public void neutral(String name, Predicate<JsonNode> accepted, String expected) {
        JsonNode value = get(name);
        if (value != null && !accepted.test(value)) {
            throw InvalidRequest.unsupported(full(name), value, expected);
        }
    }

    /** Refuses fields that no reader has asked for. */
    public void nothingElse() {
        node.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw InvalidRequest.unknown(full(name), node.get(name), String.join(", ", known));
            }
        });
    }

    /** The field's name with the path to it. */
    public String full(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private JsonNode array(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return JSON.createArrayNode();
        }
        if (!value.isArray()) {
            throw InvalidRequest.value(full(name), value, "an array");
        }
        return value;
    }

    private JsonNode get(String name) {
        known.add(name);
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }
}
