package io.tidemill.model.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the head of a safetensors file says, believed only where the file's size bears it out: tensors lie one behind
 * the other from the end of the header to the end of the file. Nothing is allocated beyond a few times the header.
 *
 * @param name   of the file, for errors
 * @param dataAt where the tensors begin, byte in the file
 */
record SafetensorsHeader(String name, long dataAt, Map<String, Place> places, Map<String, String> metadata) {
    private static final long LARGEST_BYTES = 100_000_000; // as the reference
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Bytes {@code begin} to {@code end} after the header. */
    record Place(Safetensors.Entry entry, long begin, long end) {}

    static SafetensorsHeader read(String name, ByteSource file) throws IOException {
        SafetensorsHeader empty = new SafetensorsHeader(name, 0, new LinkedHashMap<>(), new LinkedHashMap<>());
        return empty.parse(file);
    }

    private SafetensorsHeader parse(ByteSource file) throws IOException {
        long size = file.size();
        if (size < 8) {
            throw lie("has " + size + " bytes, fewer than the 8 of a header's length");
        }
        long length = file.at(0, 8).getLong();
        if (length < 2 || length > LARGEST_BYTES || length > size - 8) {
            throw lie("claims a header of " + Long.toUnsignedString(length) + " bytes, but has " + size);
        }
        for (Map.Entry<String, JsonNode> field : json(file.at(8, (int) length)).properties()) {
            if (field.getKey().equals("__metadata__")) {
                metadata(field.getValue());
            } else {
                places.put(field.getKey(), place(field.getKey(), field.getValue()));
            }
        }
        SafetensorsHeader whole = new SafetensorsHeader(name, 8 + length, places, metadata);
        whole.checkNoGapNoOverlap(size);
        return whole;
    }

    private JsonNode json(ByteBuffer bytes) {
        JsonNode json;
        try {
            json = JSON.readTree(
                    StandardCharsets.UTF_8.newDecoder().decode(bytes).toString());
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(name + " has a header that is not UTF-8", e);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(name + " has no valid JSON: " + e.getOriginalMessage(), e);
        }
        if (!json.isObject()) {
            throw lie("has a header that is not a JSON object");
        }
        return json;
    }

    private void metadata(JsonNode json) {
        if (!json.isObject()) {
            throw lie("has __metadata__ that is not a JSON object: " + json);
        }
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            if (!entry.getValue().isTextual()) {
                throw lie("has __metadata__ " + entry.getKey() + " that is not text: " + entry.getValue());
            }
            metadata.put(entry.getKey(), entry.getValue().textValue());
        }
    }

    private Place place(String tensor, JsonNode json) {
        JsonNode shape = json.path("shape");
        JsonNode offsets = json.path("data_offsets");
        if (!json.path("dtype").isTextual() || !shape.isArray() || !offsets.isArray() || offsets.size() != 2) {
            throw lie("describes tensor " + tensor + " without dtype, shape or data_offsets: " + json);
        }
        long[] sizes = new long[shape.size()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = natural(tensor, shape.get(i));
        }
        Safetensors.Entry entry =
                new Safetensors.Entry(tensor, json.get("dtype").asText(), sizes);
        long begin = natural(tensor, offsets.get(0));
        long end = natural(tensor, offsets.get(1));
        long bytes;
        try {
            bytes = Math.multiplyExact(entry.length(), elementBytes(entry));
        } catch (ArithmeticException overflow) {
            throw lie("gives tensor " + tensor + " the impossible shape " + shape);
        }
        if (end < begin || end - begin != bytes) {
            throw lie("gives tensor " + tensor + " " + entry.type() + " " + shape + " of " + bytes + " bytes the place "
                    + begin + " to " + end);
        }
        return new Place(entry, begin, end);
    }

    private long natural(String tensor, JsonNode number) {
        if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
            throw lie("describes tensor " + tensor + " with " + number + " where a natural number belongs");
        }
        return number.longValue();
    }

    int elementBytes(Safetensors.Entry entry) {
        return switch (entry.type()) {
            case "F64", "I64", "U64" -> 8;
            case "F32", "I32", "U32" -> 4;
            case "F16", "BF16", "I16", "U16" -> 2;
            case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2" -> 1;
            default -> throw lie("has tensor " + entry.name() + " of the unknown type " + entry.type());
        };
    }

    private void checkNoGapNoOverlap(long size) {
        List<Place> ordered = new ArrayList<>(places.values());
        ordered.sort(Comparator.comparingLong(Place::begin).thenComparingLong(Place::end));
        long expected = 0;
        for (Place place : ordered) {
            if (place.begin() != expected) {
                throw lie((place.begin() < expected ? "overlaps" : "leaves a gap") + " at tensor "
                        + place.entry().name() + ": it begins at " + place.begin() + ", the tensor before it ends at "
                        + expected);
            }
            expected = place.end();
        }
        if (expected != size - dataAt) {
            throw lie("has " + (size - dataAt) + " bytes of tensors, but its header describes " + expected
                    + "; it was cut short or is damaged");
        }
    }

    IllegalArgumentException lie(String what) {
        return new IllegalArgumentException(name + " " + what);
    }
}
