package io.tidemill.proto;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.JsonFormat;
import com.google.protobuf.util.Timestamps;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.text.ParseException;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Protobuf's JSON mapping, read strictly: one object and nothing after it, no name twice, no name that the message does
 * not have, every value of the type that the message wants.
 *
 * <p>{@link JsonFormat} alone drops whatever follows the first object, takes {@code "text": 5} for a string and says
 * neither line nor field; so a first pass compares the text with the message's descriptor, and only what passes is
 * given to it. Both names of a field, {@code document_id} and {@code documentId}, are understood.
 */
final class StrictJson {
    /** Deepest nesting of objects and lists; our own messages need less than ten. */
    static final int MAX_DEPTH = 32;

    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNumberLength(100)
                    .maxNameLength(10_000)
                    .build())
            .build();
    private static final JsonFormat.Parser FORMAT = JsonFormat.parser();

    private final JsonParser json;

    private StrictJson(JsonParser json) {
        this.json = json;
    }

    /** The message that the text holds; required fields are not looked at. */
    static void merge(String text, Message.Builder into) throws Refusal {
        try (JsonParser json = JSON.createParser(text)) {
            new StrictJson(json).document(into.getDescriptorForType());
        } catch (JsonProcessingException e) {
            throw Refusal.unreadable(
                    "Not JSON at " + place(e.getLocation()) + ": " + Refusal.shown(e.getOriginalMessage()) + ".",
                    "one JSON object");
        } catch (IOException impossible) {
            throw Refusal.unreadable("The text could not be read: " + impossible.getMessage() + ".", "one JSON object");
        }
        try {
            FORMAT.merge(text, into);
        } catch (InvalidProtocolBufferException e) {
            throw Refusal.unreadable(
                    "Refused by the JSON mapping: " + Refusal.shown(e.getMessage()) + ".",
                    "a " + into.getDescriptorForType().getName());
        }
    }

    private void document(Descriptor type) throws IOException, Refusal {
        if (json.nextToken() == null) {
            throw Refusal.empty("one JSON object");
        }
        message(type, "");
        JsonToken after = json.nextToken();
        if (after != null) {
            throw Refusal.unreadable(
                    "Something follows the object at " + place(json.currentTokenLocation()) + ": "
                            + Refusal.shown(String.valueOf(json.getText())) + ".",
                    "one JSON object and nothing else");
        }
    }

    private void message(Descriptor type, String path) throws IOException, Refusal {
        if (!json.hasToken(JsonToken.START_OBJECT)) {
            throw Refusal.wrongType(path, "a JSON object", found());
        }
        Map<String, FieldDescriptor> fields = fieldsByName(type);
        Map<FieldDescriptor, String> seen = new HashMap<>();
        Map<String, String> choices = new HashMap<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            String at = path.isEmpty() ? name : path + "." + name;
            FieldDescriptor field = fields.get(name);
            if (field == null) {
                throw Refusal.unknownField(at, type.getName(), names(type));
            }
            String before = seen.put(field, name);
            if (before != null) {
                throw Refusal.repeated(
                        at, "each name once", before.equals(name) ? "twice" : "twice, also as " + before);
            }
            if (json.nextToken() == JsonToken.VALUE_NULL) {
                continue; // the mapping's way to leave a field out
            }
            if (field.getContainingOneof() != null) {
                String other = choices.put(field.getContainingOneof().getName(), at);
                if (other != null) {
                    throw Refusal.repeated(at, "one of " + other + " and " + at, "beside " + other);
                }
            }
            value(field, at);
        }
    }

    private void value(FieldDescriptor field, String path) throws IOException, Refusal {
        if (field.isMapField()) {
            map(field.getMessageType().findFieldByName("value"), path);
        } else if (field.isRepeated()) {
            if (!json.hasToken(JsonToken.START_ARRAY)) {
                throw Refusal.wrongType(path, "a list", found());
            }
            for (int i = 0; json.nextToken() != JsonToken.END_ARRAY; i++) {
                single(field, path + "[" + i + "]");
            }
        } else {
            single(field, path);
        }
    }

    private void map(FieldDescriptor values, String path) throws IOException, Refusal {
        if (!json.hasToken(JsonToken.START_OBJECT)) {
            throw Refusal.wrongType(path, "an object of names and values", found());
        }
        Set<String> seen = new HashSet<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String at = path + "." + json.currentName();
            if (!seen.add(json.currentName())) {
                throw Refusal.repeated(Refusal.shown(at), "each name once", "twice");
            }
            json.nextToken();
            single(values, at);
        }
    }

    private void single(FieldDescriptor field, String path) throws IOException, Refusal {
        switch (field.getJavaType()) {
            case MESSAGE -> {
                if (field.getMessageType().equals(Timestamp.getDescriptor())) {
                    timestamp(path);
                } else {
                    message(field.getMessageType(), path);
                }
            }
            case STRING -> string(path, "a string");
            case INT -> integer(path, BigInteger.valueOf(Integer.MIN_VALUE), BigInteger.valueOf(Integer.MAX_VALUE));
            case LONG -> integer(path, BigInteger.valueOf(Long.MIN_VALUE), BigInteger.valueOf(Long.MAX_VALUE));
            case FLOAT, DOUBLE -> finite(path);
            case BOOLEAN -> {
                if (!json.currentToken().isBoolean()) {
                    throw Refusal.wrongType(path, "true or false", found());
                }
            }
            case ENUM -> enumeration(field, path);
            case BYTE_STRING -> base64(path);
        }
    }

    private String string(String path, String expected) throws IOException, Refusal {
        if (!json.hasToken(JsonToken.VALUE_STRING)) {
            throw Refusal.wrongType(path, expected, found());
        }
        String text = json.getText();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                throw Refusal.wrongValue(
                        path,
                        "Unicode text",
                        String.format("\\u%04x at character %d, half of a surrogate pair", (int) c, i));
            }
        }
        return text;
    }

    private void integer(String path, BigInteger least, BigInteger most) throws IOException, Refusal {
        String expected = "a whole number from " + least + " to " + most;
        BigDecimal number = number(path, expected);
        boolean whole = number.signum() == 0 || number.stripTrailingZeros().scale() <= 0;
        // Digits before the point first: 1e999999999 must not be written out.
        boolean small = number.precision() - (long) number.scale() <= 20;
        if (!whole
                || !small
                || number.compareTo(new BigDecimal(least)) < 0
                || number.compareTo(new BigDecimal(most)) > 0) {
            throw Refusal.wrongValue(path, expected, json.getText());
        }
    }

    private void finite(String path) throws IOException, Refusal {
        BigDecimal number = number(path, "a finite number");
        if (!Float.isFinite(number.floatValue())) {
            throw Refusal.wrongValue(path, "a finite number", json.getText());
        }
    }

    /** A JSON number, or a string of one, which the mapping uses for 64 bits. */
    private BigDecimal number(String path, String expected) throws IOException, Refusal {
        if (!json.currentToken().isNumeric() && !json.hasToken(JsonToken.VALUE_STRING)) {
            throw Refusal.wrongType(path, expected, found());
        }
        String text = json.getText();
        try {
            if (text.length() > 100) {
                throw new NumberFormatException();
            }
            return new BigDecimal(text);
        } catch (NumberFormatException e) {
            throw Refusal.wrongType(path, expected, found());
        }
    }

    private void enumeration(FieldDescriptor field, String path) throws IOException, Refusal {
        String names = field.getEnumType().getValues().stream()
                .map(EnumValueDescriptor::getName)
                .collect(Collectors.joining(", "));
        String text = json.getText();
        boolean known =
                switch (json.currentToken()) {
                    case VALUE_STRING -> field.getEnumType().findValueByName(text) != null;
                    case VALUE_NUMBER_INT ->
                        text.length() < 10 && field.getEnumType().findValueByNumber(Integer.parseInt(text)) != null;
                    default -> false;
                };
        if (!known) {
            throw Refusal.wrongValue(path, "one of " + names, found());
        }
    }

    private void timestamp(String path) throws IOException, Refusal {
        String expected = "a time in RFC 3339 as in 2026-01-31T12:00:00Z";
        try {
            Timestamps.parse(string(path, expected));
        } catch (ParseException | IllegalArgumentException e) {
            throw Refusal.wrongValue(path, expected, found());
        }
    }

    private void base64(String path) throws IOException, Refusal {
        String text = string(path, "bytes in base64");
        try {
            Base64.getDecoder().decode(text.replace('-', '+').replace('_', '/'));
        } catch (IllegalArgumentException e) {
            throw Refusal.wrongValue(path, "bytes in base64", found());
        }
    }

    private String found() throws IOException {
        return switch (json.currentToken()) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "a list";
            case VALUE_STRING -> "\"" + Refusal.shown(json.getText()) + "\"";
            default -> String.valueOf(json.getText());
        };
    }

    private static Map<String, FieldDescriptor> fieldsByName(Descriptor type) {
        Map<String, FieldDescriptor> fields = new HashMap<>();
        for (FieldDescriptor field : type.getFields()) {
            fields.put(field.getName(), field);
            fields.put(field.getJsonName(), field);
        }
        return fields;
    }

    private static String names(Descriptor type) {
        return type.getFields().stream().map(FieldDescriptor::getName).collect(Collectors.joining(", "));
    }

    private static String place(JsonLocation location) {
        return location == null
                ? "an unknown place"
                : "line " + location.getLineNr() + ", column " + location.getColumnNr();
    }
}
