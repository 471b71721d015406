package io.tidemill.model.engine;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/** A JSON object of a configuration whose fields are read strictly: a wrong type is an error with field and value. */
record ConfigFields(JsonNode json) {
    boolean has(String field) {
        return json.hasNonNull(field);
    }

    /** Present, if only as null. */
    boolean names(String field) {
        return json.has(field);
    }

    JsonNode get(String field) {
        return json.path(field);
    }

    /** @param otherwise where the field is absent or null; null if it must be there */
    int whole(String field, Integer otherwise) {
        if (!has(field) && otherwise != null) {
            return otherwise;
        }
        JsonNode value = json.path(field);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(field, "a whole number");
        }
        return value.intValue();
    }

    double number(String field, Double otherwise) {
        if (!has(field) && otherwise != null) {
            return otherwise;
        }
        if (!json.path(field).isNumber()) {
            throw wrong(field, "a number");
        }
        return json.path(field).doubleValue();
    }

    OptionalDouble number(String field) {
        return has(field) ? OptionalDouble.of(number(field, null)) : OptionalDouble.empty();
    }

    boolean flag(String field, boolean otherwise) {
        if (!has(field)) {
            return otherwise;
        }
        if (!json.path(field).isBoolean()) {
            throw wrong(field, "true or false");
        }
        return json.path(field).booleanValue();
    }

    String text(String field, String otherwise) {
        if (!has(field)) {
            return otherwise;
        }
        if (!json.path(field).isTextual()) {
            throw wrong(field, "text");
        }
        return json.path(field).textValue();
    }

    private IllegalArgumentException wrong(String field, String type) {
        return new IllegalArgumentException(
                field + " must be " + type + ", but was " + (names(field) ? json.path(field) : "absent"));
    }

    /** Refuses any other value; absent and null pass. */
    void expect(String field, String... allowed) {
        JsonNode found = json.path(field);
        if (!has(field)) {
            return;
        }
        for (String value : allowed) {
            boolean same = found.isNumber()
                    ? found.doubleValue() == Double.parseDouble(value)
                    : found.asText().equals(value);
            if (same) {
                return;
            }
        }
        throw refused(field, "only " + String.join(" or ", allowed) + " is supported");
    }

    void refuse(String... fields) {
        for (String field : fields) {
            if (has(field)) {
                throw refused(field, "this is not supported");
            }
        }
    }

    void refuseAllBut(Set<String> known) {
        for (String field :
                List.copyOf(json.propertyStream().map(e -> e.getKey()).toList())) {
            if (!known.contains(field)) {
                refuse(field);
            }
        }
    }

    /** Refuses other fields that ask for something: null, false and what is empty do not. */
    void refuseAllOnBut(Set<String> known) {
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            JsonNode value = field.getValue();
            boolean off = value.isNull()
                    || value.isBoolean() && !value.booleanValue()
                    || value.isContainerNode() && value.isEmpty();
            if (!off && !known.contains(field.getKey())) {
                refuse(field.getKey());
            }
        }
    }

    IllegalArgumentException refused(String field, String why) {
        return new IllegalArgumentException(field + " is " + json.path(field) + ", but " + why);
    }
}
