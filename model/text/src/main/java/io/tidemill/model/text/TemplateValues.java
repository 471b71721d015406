package io.tidemill.model.text;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Plain values for templates, copied, so that whoever gave them may go on changing theirs. */
final class TemplateValues {
    private TemplateValues() {}

    /** The map in the kinds of values that templates know; any other kind is refused by its path. */
    static Map<String, Object> map(Map<?, ?> map, String where) {
        return mapped(map, where, text -> text);
    }

    /** The map with each text in it, keys too, changed. */
    static Map<String, Object> mapped(Map<?, ?> map, String where, UnaryOperator<String> change) {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (!(key instanceof String name)) {
                throw new IllegalArgumentException("keys in " + where + " must be texts, but found " + key);
            }
            copy.put(change.apply(name), plain(value, where + "." + name, change));
        });
        return Collections.unmodifiableMap(copy);
    }

    private static Object plain(Object value, String where, UnaryOperator<String> change) {
        if (value instanceof String text) {
            return change.apply(text);
        }
        if (value == null || value instanceof Boolean || value instanceof Long || value instanceof Double) {
            return value;
        }
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        }
        if (value instanceof Float || value instanceof BigDecimal) {
            return Double.valueOf(value.toString());
        }
        if (value instanceof BigInteger number && number.bitLength() < Long.SIZE) {
            return number.longValue();
        }
        if (value instanceof Map<?, ?> map) {
            return mapped(map, where, change);
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            for (int i = 0; i < list.size(); i++) {
                copy.add(plain(list.get(i), where + "[" + i + "]", change));
            }
            return Collections.unmodifiableList(copy);
        }
        throw new IllegalArgumentException(
                where + " must be a text, a number of 64 bits, true, false, null, a list or a map," + " but was "
                        + value.getClass().getName() + ": " + value);
    }
}
