package io.tidemill.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The fields of {@code tokenizer_config.json} or {@code special_tokens_map.json} that tokenizing needs. */
record SpecialTokens(JsonNode root) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static SpecialTokens read(Path path) throws IOException {
        return new SpecialTokens(JSON.readTree(path.toFile()));
    }

    /** A token by its field, which holds either the string or an object with its {@code content}. */
    Optional<String> content(String field) {
        JsonNode node = root.path(field);
        return Optional.ofNullable(node.isObject() ? node.path("content").textValue() : node.textValue());
    }

    /** All {@code …_token} fields with a value, and {@code extra_special_tokens}, by name, as templates refer to them. */
    Map<String, String> all() {
        Map<String, String> tokens = new LinkedHashMap<>();
        root.fieldNames().forEachRemaining(field -> {
            if (field.endsWith("_token")) {
                content(field).ifPresent(token -> tokens.put(field, token));
            }
        });
        SpecialTokens extra = new SpecialTokens(root.path("extra_special_tokens"));
        extra.root.fieldNames().forEachRemaining(field -> extra.content(field)
                .ifPresent(token -> tokens.put(field, token)));
        return tokens;
    }
}
