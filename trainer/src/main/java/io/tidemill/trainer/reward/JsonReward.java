package io.tidemill.trainer.reward;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Whether an answer is one JSON value (RFC 8259) and nothing after it, no name twice in an object; and, where keys are
 * required, an object that has them all at its top.
 */
final class JsonReward implements Reward {
    private static final int MAX_DEPTH = 64;
    private static final JsonFactory STRICT = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build();

    private final List<String> required;
    private final boolean object;
    private final double right;
    private final double wrong;

    /** @param object whether the value must be an object */
    JsonReward(List<String> required, boolean object, double right, double wrong) {
        this.required = List.copyOf(required);
        this.object = object;
        this.right = right;
        this.wrong = wrong;
    }

    static JsonReward of(Parameters parameters) {
        List<String> required = parameters.names("required");
        boolean object = parameters
                .oneOf("type", required.isEmpty() ? "any" : "object", "any", "object")
                .equals("object");
        if (!object && !required.isEmpty()) {
            throw parameters.wrong("type", "object where keys are required", "any");
        }
        return new JsonReward(
                required,
                object,
                parameters.number("right", 1, "", v -> true),
                parameters.number("wrong", 0, "", v -> true));
    }

    @Override
    public List<OptionalDouble> judge(List<GivenAnswer> answers) {
        return answers.stream()
                .map(answer -> OptionalDouble.of(fits(answer.text()) ? right : wrong))
                .toList();
    }

    private boolean fits(String text) {
        Set<String> names = new HashSet<>();
        try (JsonParser json = STRICT.createParser(text)) {
            JsonToken first = json.nextToken();
            if (first == null || object && first != JsonToken.START_OBJECT) {
                return false;
            }
            int depth = first.isStructStart() ? 1 : 0;
            while (depth > 0) {
                JsonToken token = json.nextToken();
                if (token == null) {
                    return false;
                }
                if (token == JsonToken.FIELD_NAME && depth == 1) {
                    names.add(json.currentName());
                }
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            }
            return json.nextToken() == null && names.containsAll(required);
        } catch (IOException notJson) {
            return false;
        }
    }
}
