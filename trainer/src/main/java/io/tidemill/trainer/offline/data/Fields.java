package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.text.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;

/** The columns of one row, by what they hold; what is wrong with one is said with its name and value. */
final class Fields {
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool");

    /** ShareGPT's names. */
    private static final Map<String, String> SPEAKERS =
            Map.of("human", "user", "gpt", "assistant", "system", "system", "user", "user", "assistant", "assistant");

    private final ObjectNode fields;

    Fields(ObjectNode fields) {
        this.fields = fields;
    }

    boolean has(String column) {
        return fields.hasNonNull(column);
    }

    JsonNode node(String column) throws Mistake {
        JsonNode node = fields.get(column);
        if (node == null || node.isNull()) {
            throw new Mistake("missing", "column '" + column + "' is missing or null; fill it");
        }
        return node;
    }

    /** Whether the column holds messages rather than text; CSV may hold them as JSON. */
    boolean isMessages(String column) {
        return fields.path(column).isArray();
    }

    String text(String column) throws Mistake {
        JsonNode node = node(column);
        if (!node.isTextual()) {
            throw wrongType(column, "text", node);
        }
        String text = node.textValue();
        if (text.isBlank()) {
            throw new Mistake("empty", "column '" + column + "' is empty; fill it, or leave the example out");
        }
        return text;
    }

    /** Empty where it is missing, null or blank. */
    Optional<String> optionalText(String column) throws Mistake {
        JsonNode node = fields.get(column);
        if (node == null
                || node.isNull()
                || node.isTextual() && node.textValue().isBlank()) {
            return Optional.empty();
        }
        return Optional.of(text(column));
    }

    double number(String column, double absent) throws Mistake {
        JsonNode node = fields.get(column);
        if (node == null || node.isNull()) {
            return absent;
        }
        try {
            double value =
                    node.isTextual() ? Double.parseDouble(node.textValue().strip()) : node.doubleValue();
            if ((node.isNumber() || node.isTextual()) && Double.isFinite(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw wrongType(column, "a finite number", node);
    }

    boolean truth(String column) throws Mistake {
        JsonNode node = node(column);
        return switch (node.asText().strip().toLowerCase(Locale.ROOT)) {
            case "true", "1" -> true;
            case "false", "0" -> false;
            default -> throw wrongType(column, "true or false", node);
        };
    }

    /** One label or a list of them, as texts. */
    List<String> labels(String column) throws Mistake {
        JsonNode node = node(column);
        if (node.isArray()) {
            List<String> labels = new ArrayList<>();
            for (JsonNode element : node) {
                if (!element.isValueNode() || element.isNull()) {
                    throw wrongType(column, "a list of labels", node);
                }
                labels.add(element.asText());
            }
            return List.copyOf(labels);
        }
        if (!node.isValueNode() || node.asText().isBlank()) {
            throw wrongType(column, "a label", node);
        }
        return List.of(node.asText().strip());
    }

    /** Messages with {@code role} and {@code content}, or ShareGPT's {@code from} and {@code value}. */
    List<ChatMessage> messages(String column) throws Mistake {
        JsonNode node = node(column);
        if (!node.isArray() || node.isEmpty()) {
            throw wrongType(column, "a list of messages, as in [{\"role\": \"user\", \"content\": \"…\"}]", node);
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            messages.add(message(column + "[" + i + "]", node.get(i)));
        }
        return messages;
    }

    private static ChatMessage message(String path, JsonNode node) throws Mistake {
        if (!node.isObject()) {
            throw wrongType(path, "a message with role and content", node);
        }
        boolean spoken = node.has("from") && node.has("value");
        JsonNode role = node.path(spoken ? "from" : "role");
        JsonNode content = node.path(spoken ? "value" : "content");
        String said = spoken ? SPEAKERS.getOrDefault(role.asText(), role.asText()) : role.asText();
        if (!role.isTextual() || !ROLES.contains(said)) {
            throw new Mistake(
                    "wrong-role", path + " has role " + shown(role) + "; roles are system, user, assistant and tool");
        }
        if (!content.isTextual()) {
            throw wrongType(path + ".content", "text (parts such as images are not trained)", content);
        }
        return new ChatMessage(said, content.textValue());
    }

    /** Every column as text, for rewards; lists and objects as JSON. */
    Map<String, String> others(Set<String> except) {
        Map<String, String> others = new LinkedHashMap<>();
        fields.properties().stream()
                .filter(field ->
                        !except.contains(field.getKey()) && !field.getValue().isNull())
                .forEach(field -> others.put(
                        field.getKey(),
                        field.getValue().isValueNode()
                                ? field.getValue().asText()
                                : field.getValue().toString()));
        return others;
    }

    static Mistake wrongType(String path, String expected, JsonNode node) {
        return new Mistake("wrong-type", "'" + path + "' must be " + expected + ", but is " + shown(node));
    }

    static String shown(JsonNode node) {
        String text = node.isMissingNode() ? "missing" : node.toString();
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }

    static List<String> names(ObjectNode fields) {
        return StreamSupport.stream(fields.properties().spliterator(), false)
                .map(Map.Entry::getKey)
                .toList();
    }
}
