package io.tidemill.trainer.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One text of the operator's whose labels are known: {@code {"text": "You have won!", "labels": ["spam"]}}.
 *
 * @param place file and line, for errors
 */
public record OperatorLabels(String place, String text, List<String> labels) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    public OperatorLabels {
        labels = List.copyOf(labels);
    }

    static List<OperatorLabels> read(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    file + " cannot be read (" + e + "). Name a JSONL file that this process may read.", e);
        }
        List<OperatorLabels> texts = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) {
                texts.add(of(file + ":" + (i + 1), lines.get(i)));
            }
        }
        if (texts.isEmpty()) {
            throw new IllegalArgumentException(file + " has no line. Write one JSON object a line, or leave it out.");
        }
        return texts;
    }

    private static OperatorLabels of(String place, String line) {
        try {
            JsonNode json = JSON.readTree(line);
            boolean usable = json.isObject()
                    && json.path("text").isTextual()
                    && !json.path("text").asText().isBlank()
                    && json.path("labels").isArray()
                    && json.properties().stream().map(Map.Entry::getKey).allMatch(Set.of("text", "labels")::contains);
            List<String> labels = new ArrayList<>();
            for (JsonNode label : json.path("labels")) {
                usable &= label.isTextual();
                labels.add(label.asText());
            }
            if (!usable) {
                throw new IllegalArgumentException(
                        place + ": a line must be {\"text\": \"…\", \"labels\": [\"…\"]}, with a"
                                + " text that is not blank, and nothing else");
            }
            return new OperatorLabels(place, json.path("text").asText(), labels);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(place + " is not one JSON object: " + e.getOriginalMessage(), e);
        }
    }
}
