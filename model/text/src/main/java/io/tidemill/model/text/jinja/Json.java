package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** The filter {@code tojson} as transformers defines it: Python's {@code json.dumps}, nothing escaped for HTML. */
final class Json {
    private final Run run;
    private final boolean ascii;
    private final String indent;
    private final String comma;
    private final String colon;
    private final boolean sorted;
    private final StringBuilder text = new StringBuilder();

    private Json(Run run, boolean ascii, String indent, String comma, String colon, boolean sorted) {
        this.run = run;
        this.ascii = ascii;
        this.indent = indent;
        this.comma = comma;
        this.colon = colon;
        this.sorted = sorted;
    }

    static Object filter(Run run, Object value, Args args) {
        args.check("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        Object given = args.get(1, "indent", null);
        String indent = given == null
                ? null
                : given instanceof String text
                        ? text
                        : " ".repeat((int) Math.min(1000, Math.max(0, Values.integer(given, "indent"))));
        Object separators = args.get(2, "separators", null);
        List<Object> parts = separators == null ? List.of(indent == null ? ", " : ",", ": ") : Values.items(separators);
        if (parts.size() != 2 || !(parts.get(0) instanceof String comma) || !(parts.get(1) instanceof String colon)) {
            throw new JinjaException("separators of tojson must be two texts, but are " + Values.shown(separators));
        }
        Json json = new Json(run, args.truth(0, "ensure_ascii"), indent, comma, colon, args.truth(3, "sort_keys"));
        json.write(value, 1);
        return run.counted(json.text.toString());
    }

    private void write(Object value, int depth) {
        Text.checkLength(text);
        if (value == null || value instanceof Boolean || value instanceof Number) {
            text.append(scalar(value));
        } else if (value instanceof String || value instanceof Safe) {
            string(Values.string(value));
        } else if (value instanceof List<?> items) {
            list(items, depth);
        } else if (value instanceof Tuple tuple) {
            list(tuple.items(), depth);
        } else if (value instanceof Map<?, ?> map) {
            mapping(map, depth);
        } else {
            throw new JinjaException("tojson cannot write " + Values.shown(value));
        }
    }

    private static String scalar(Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof Double number) {
            return number.isNaN()
                    ? "NaN"
                    : number.isInfinite() ? (number > 0 ? "Infinity" : "-Infinity") : Text.decimal(number);
        }
        return value.toString();
    }

    private void list(List<?> items, int depth) {
        text.append('[');
        for (Iterator<?> each = items.iterator(); each.hasNext(); ) {
            line(depth);
            write(each.next(), depth + 1);
            text.append(each.hasNext() ? comma : "");
        }
        end(items.isEmpty(), depth, ']');
    }

    private void mapping(Map<?, ?> map, int depth) {
        List<Object> keys = new ArrayList<>(map.keySet());
        if (sorted) {
            keys.sort((a, b) -> Order.of(run, a, b));
        }
        text.append('{');
        for (Iterator<Object> each = keys.iterator(); each.hasNext(); ) {
            Object key = each.next();
            line(depth);
            if (!(key == null || key instanceof String || key instanceof Number || key instanceof Boolean)) {
                throw new JinjaException("tojson needs keys that are texts, but found " + Values.shown(key));
            }
            string(key instanceof String name ? name : scalar(key));
            text.append(colon);
            write(map.get(key), depth + 1);
            text.append(each.hasNext() ? comma : "");
        }
        end(map.isEmpty(), depth, '}');
    }

    private void line(int depth) {
        if (indent != null) {
            text.append('\n').append(indent.repeat(depth));
        }
    }

    private void end(boolean empty, int depth, char close) {
        if (!empty) {
            line(depth - 1);
        }
        text.append(close);
    }

    private void string(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            int simple = "\"\\\n\r\t\b\f".indexOf(c);
            if (simple >= 0) {
                text.append('\\').append("\"\\nrtbf".charAt(simple));
            } else if (c < ' ' || (ascii && c > '~')) {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
