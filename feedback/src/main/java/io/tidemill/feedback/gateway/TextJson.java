package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.feedback.answer.Classification;
import io.tidemill.feedback.answer.FillMaskEngine.Guess;
import java.util.List;
import java.util.Map;

/** What encoders say of texts, as a list of OpenAI's shape. */
final class TextJson {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private TextJson() {}

    static ObjectNode list(String version, List<ObjectNode> data) {
        ObjectNode list = NODES.objectNode().put("object", "list").put("model", version);
        data.forEach(list.putArray("data")::add);
        return list;
    }

    static ObjectNode classified(int index, Classification said, boolean truncated) {
        ObjectNode json = NODES.objectNode().put("index", index);
        if (said instanceof Classification.OneLabel one) {
            json.put("label", one.label());
            probabilities(json, one.probabilities());
        } else if (said instanceof Classification.SeveralLabels several) {
            several.labels().forEach(json.putArray("labels")::add);
            probabilities(json, several.probabilities());
        } else if (said instanceof Classification.Score score) {
            json.put("score", score.score());
        }
        return cut(json, truncated);
    }

    private static void probabilities(ObjectNode json, Map<String, Double> probabilities) {
        ObjectNode named = json.putObject("probabilities");
        probabilities.forEach(named::put);
    }

    /** For each mask the objects that Hugging Face's fill-mask pipeline gives. */
    static ObjectNode filled(int index, List<List<Guess>> masks, boolean truncated) {
        ObjectNode json = NODES.objectNode().put("index", index);
        ArrayNode all = json.putArray("masks");
        for (List<Guess> mask : masks) {
            ArrayNode guesses = all.addArray();
            for (Guess guess : mask) {
                guesses.addObject()
                        .put("score", guess.probability())
                        .put("token", guess.token())
                        .put("token_str", guess.text())
                        .put("sequence", guess.sequence());
            }
        }
        return cut(json, truncated);
    }

    private static ObjectNode cut(ObjectNode json, boolean truncated) {
        return truncated ? json.put("truncated", true) : json;
    }
}
