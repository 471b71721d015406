package io.tidemill.trainer.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.tidemill.model.text.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * One question of the operator's: a line of JSONL.
 *
 * <pre>
 *   {"prompt": "The capital of France is", "check": {"contains": "Paris"}}
 *   {"messages": [{"role": "user", "content": "Answer in JSON."}], "check": {"json": true}, "max_tokens": 60}
 *   {"prompt": "Two and two are", "choices": [" three", " four"], "answer": 1}
 *   {"id": "greeting", "suite": "manners", "weight": 2, …}
 * </pre>
 *
 * <p>A prompt is text that the model goes on with, messages are a conversation by its chat template. An answer is judged by
 * its {@link AnswerCheck}; among choices the most likely one, by log-probability a token, must be the right one.
 *
 * @param place     file and line, for errors
 * @param id        as it was given, or the place
 * @param suite     a name of its own within the probes; empty without
 * @param prompt    empty where there are messages
 * @param check     of the answer; empty where there are choices
 * @param right     index of the right choice
 * @param maxTokens of the answer; empty for the settings'
 * @param content   the line, by which a score is remembered
 */
record OperatorProbe(
        String place,
        String id,
        String suite,
        Optional<String> prompt,
        List<ChatMessage> messages,
        Optional<AnswerCheck> check,
        List<String> choices,
        int right,
        OptionalInt maxTokens,
        double weight,
        String content) {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final Set<String> KEYS = new TreeSet<>(
            Set.of("id", "suite", "prompt", "messages", "check", "choices", "answer", "max_tokens", "weight"));
    private static final Pattern SUITE = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)*");

    OperatorProbe {
        messages = List.copyOf(messages);
        choices = List.copyOf(choices);
    }

    /** What is asked of each line of a file. */
    enum Kind {
        /** A question with what decides about the answer. */
        PROBE,
        /** A question alone. */
        PROMPT
    }

    /**
     * All lines that are not blank.
     *
     * @throws IllegalArgumentException if the file cannot be read, or a line is not as described above; the message names it
     */
    static List<OperatorProbe> read(Path file, Kind kind) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    file + " cannot be read (" + e + "). Name a JSONL file that this process may read.", e);
        }
        List<OperatorProbe> probes = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            String place = file + ":" + (i + 1);
            try {
                OperatorProbe probe = of(place, lines.get(i).strip(), kind);
                if (!ids.add(probe.id)) {
                    throw new IllegalArgumentException("id \"" + probe.id + "\" stands twice in this file");
                }
                probes.add(probe);
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException(place + " is not one JSON object: " + e.getOriginalMessage(), e);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(place + ": " + e.getMessage(), e);
            }
        }
        if (probes.isEmpty()) {
            throw new IllegalArgumentException(file + " has no line. Write one JSON object a line, or leave it out.");
        }
        return probes;
    }

    private static OperatorProbe of(String place, String line, Kind kind) throws JsonProcessingException {
        JsonNode json = JSON.readTree(line);
        require(json.isObject(), "a line must be a JSON object");
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            require(
                    KEYS.contains(entry.getKey()),
                    "\"" + entry.getKey() + "\" is not known; known are " + String.join(", ", KEYS));
        }
        Optional<String> prompt = text(json, "prompt");
        List<ChatMessage> messages = messages(json.path("messages"));
        require(prompt.isPresent() == messages.isEmpty(), "needs either a \"prompt\" or \"messages\", and not both");
        require(prompt.isEmpty() || !prompt.get().isEmpty(), "\"prompt\" is empty");
        boolean probe = kind == Kind.PROBE;
        require(
                probe == (json.has("check") || json.has("choices")),
                probe
                        ? "needs either a \"check\" of the answer or \"choices\" with the index of the right one as"
                                + " \"answer\""
                        : "is a question alone, without \"check\" or \"choices\"");
        require(!(json.has("check") && json.has("choices")), "has both \"check\" and \"choices\"; leave one out");
        List<String> choices = choices(json);
        String suite = text(json, "suite").orElse("");
        require(
                suite.isEmpty() || SUITE.matcher(suite).matches(),
                "\"suite\" may have small letters, digits and hyphens, but is \"" + suite + "\"");
        return new OperatorProbe(
                place,
                text(json, "id").orElse(place),
                suite,
                prompt,
                messages,
                json.has("check") ? Optional.of(AnswerCheck.of(json.path("check"))) : Optional.empty(),
                choices,
                json.path("answer").asInt(),
                maxTokens(json.path("max_tokens")),
                weight(json.path("weight")),
                line);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }

    private static Optional<String> text(JsonNode json, String name) {
        JsonNode value = json.path(name);
        require(value.isMissingNode() || value.isTextual(), "\"" + name + "\" must be a text, but is " + value);
        return value.isTextual() ? Optional.of(value.asText()) : Optional.empty();
    }

    private static List<ChatMessage> messages(JsonNode json) {
        if (json.isMissingNode()) {
            return List.of();
        }
        require(json.isArray() && !json.isEmpty(), "\"messages\" must be a list of at least one message");
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : json) {
            require(
                    message.path("role").isTextual() && message.path("content").isTextual() && message.size() == 2,
                    "a message needs \"role\" and \"content\", both texts, and nothing else, but is " + message);
            messages.add(new ChatMessage(
                    message.path("role").asText(), message.path("content").asText()));
        }
        return messages;
    }

    private static List<String> choices(JsonNode json) {
        JsonNode given = json.path("choices");
        if (given.isMissingNode()) {
            require(!json.has("answer"), "\"answer\" is the index of a choice, but there are no \"choices\"");
            return List.of();
        }
        require(given.isArray() && given.size() > 1, "\"choices\" must be a list of at least two texts");
        List<String> choices = new ArrayList<>();
        for (JsonNode choice : given) {
            require(
                    choice.isTextual() && !choice.asText().isEmpty(),
                    "a choice must be a text that is not empty, but is " + choice);
            choices.add(choice.asText());
        }
        require(new HashSet<>(choices).size() == choices.size(), "two \"choices\" are the same");
        JsonNode right = json.path("answer");
        require(
                right.isInt() && right.asInt() >= 0 && right.asInt() < choices.size(),
                "\"answer\" must be the index of the right choice, from 0 to " + (choices.size() - 1) + ", but is "
                        + (right.isMissingNode() ? "missing" : right));
        return choices;
    }

    private static OptionalInt maxTokens(JsonNode json) {
        if (json.isMissingNode()) {
            return OptionalInt.empty();
        }
        require(json.isInt() && json.asInt() > 0, "\"max_tokens\" must be a whole number from 1 on, but is " + json);
        return OptionalInt.of(json.asInt());
    }

    private static double weight(JsonNode json) {
        if (json.isMissingNode()) {
            return 1;
        }
        require(json.isNumber() && json.asDouble() > 0, "\"weight\" must be a number above 0, but is " + json);
        return json.asDouble();
    }
}
