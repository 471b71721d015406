package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.feedback.answer.AnswerSettings;
import io.tidemill.feedback.answer.Question;
import io.tidemill.feedback.request.Fields;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.model.text.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Reads the bodies of OpenAI's two generating endpoints. A field is used, or accepted because its value asks for
 * nothing, or refused by name: never dropped in silence.
 */
final class RequestReader {
    private static final int MOST_CHOICES = 8;
    private static final int MOST_STOPS = 4;
    private static final int MOST_TOKENS = 1_000_000;
    private static final String SOME_MESSAGES =
            "a non-empty array of {\"role\": …, \"content\": …} with roles system, user and assistant";

    private final int defaultMaxTokens;
    private final RandomGenerator seeds;

    /** @param seeds gives a seed to each request that names none */
    RequestReader(int defaultMaxTokens, RandomGenerator seeds) {
        this.defaultMaxTokens = defaultMaxTokens;
        this.seeds = seeds;
    }

    /** Body of {@code /v1/chat/completions}. */
    AskedFor chat(byte[] body) {
        Fields fields = Fields.ofObject(body);
        List<ChatMessage> messages = messages(fields);
        Optional<Long> maxTokens = maxTokens(fields, "max_tokens");
        Optional<Long> maxCompletionTokens = maxTokens(fields, "max_completion_tokens");
        boolean logProbs = fields.flag("logprobs").orElse(false);
        fields.neutral("top_logprobs", zero(), "0: only the sampled token's log-probability is reported");
        fields.neutral("response_format", type("text"), "{\"type\": \"text\"}");
        fields.neutral("tools", JsonNode::isEmpty, "no tools");
        fields.neutral("functions", JsonNode::isEmpty, "no functions");
        fields.neutral("tool_choice", oneOf("none", "auto"), "none or auto");
        fields.neutral("function_call", oneOf("none", "auto"), "none or auto");
        fields.neutral("parallel_tool_calls", JsonNode::isBoolean, "true or false");
        fields.neutral(
                "modalities", node -> node.size() == 1 && node.path(0).asText().equals("text"), "[\"text\"]");
        return read(fields, new Question.Chat(messages), maxCompletionTokens.or(() -> maxTokens), logProbs);
    }

    /** Body of {@code /v1/completions}. */
    AskedFor rawText(byte[] body) {
        Fields fields = Fields.ofObject(body);
        JsonNode prompt = fields.any("prompt").orElseThrow(() -> InvalidRequest.missing("prompt", "a string"));
        if (!prompt.isTextual() || prompt.textValue().isEmpty()) {
            throw InvalidRequest.unsupported("prompt", prompt, "one string that is not empty");
        }
        Optional<Long> maxTokens = maxTokens(fields, "max_tokens");
        boolean logProbs = fields.integer("logprobs", 0, 0).isPresent();
        fields.neutral("echo", node -> node.isBoolean() && !node.booleanValue(), "false");
        fields.neutral("best_of", node -> node.asInt() == 1, "1");
        fields.neutral("suffix", node -> false, "null");
        return read(fields, new Question.RawText(prompt.textValue()), maxTokens, logProbs);
    }

    private AskedFor read(Fields fields, Question question, Optional<Long> maxTokens, boolean logProbs) {
        AnswerSettings settings = new AnswerSettings(
                fields.number("temperature", 0, 2).orElse(1.0),
                topP(fields),
                fields.integer("top_k", 0, Integer.MAX_VALUE).orElse(0L).intValue(),
                fields.number("min_p", 0, 1).orElse(0.0),
                fields.number("repetition_penalty", 0.01, 100).orElse(1.0),
                maxTokens.orElse((long) defaultMaxTokens).intValue(),
                fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE).orElseGet(() -> (long) seeds.nextInt()),
                stop(fields));
        boolean stream = fields.flag("stream").orElse(false);
        AskedFor asked = new AskedFor(
                question,
                fields.text("model").filter(name -> !name.isEmpty()),
                settings,
                fields.integer("n", 1, MOST_CHOICES).orElse(1L).intValue(),
                stream,
                includeUsage(fields, stream),
                logProbs,
                fields.flag("store").orElse(true),
                fields.text("user").filter(user -> !user.isBlank()));
        fields.neutral("frequency_penalty", zero(), "0");
        fields.neutral("presence_penalty", zero(), "0");
        fields.neutral("logit_bias", JsonNode::isEmpty, "no bias");
        fields.neutral("service_tier", oneOf("auto", "default"), "auto or default");
        fields.neutral("metadata", RequestReader::isMetadata, "an object of at most 16 strings");
        fields.nothingElse();
        return asked;
    }

    private static Optional<Long> maxTokens(Fields fields, String name) {
        return fields.integer(name, 1, MOST_TOKENS);
    }

    private static double topP(Fields fields) {
        double topP = fields.number("top_p", 0, 1).orElse(1.0);
        // A share of nothing would leave no token; OpenAI takes 0 as "the most likely one".
        return Math.max(topP, 1e-9);
    }

    private static boolean includeUsage(Fields fields, boolean stream) {
        Optional<Fields> options = fields.object("stream_options");
        if (options.isPresent() && !stream) {
            throw InvalidRequest.value("stream_options", "an object", "absent unless stream is true");
        }
        boolean includeUsage = options.flatMap(o -> o.flag("include_usage")).orElse(false);
        options.ifPresent(o -> {
            o.neutral("include_obfuscation", node -> node.isBoolean() && !node.booleanValue(), "false");
            o.nothingElse();
        });
        return includeUsage;
    }

    private static List<String> stop(Fields fields) {
        JsonNode stop = fields.any("stop").orElse(null);
        if (stop == null) {
            return List.of();
        }
        List<String> stops = stop.isTextual() ? List.of(stop.textValue()) : fields.texts("stop");
        if (stops.size() > MOST_STOPS || stops.stream().anyMatch(String::isEmpty)) {
            throw InvalidRequest.value("stop", stop, "a string or an array of up to 4 strings, none of them empty");
        }
        return stops;
    }

    private static List<ChatMessage> messages(Fields fields) {
        List<ChatMessage> messages = new ArrayList<>();
        for (Fields message : fields.objects("messages")) {
            messages.add(message(message));
        }
        if (messages.isEmpty()) {
            throw InvalidRequest.missing("messages", SOME_MESSAGES);
        }
        return messages;
    }

    private static ChatMessage message(Fields message) {
        String role = message.requiredText("role", "system, user or assistant");
        String content = content(message);
        message.text("name");
        for (String field : List.of("tool_calls", "function_call", "refusal", "audio")) {
            message.neutral(field, JsonNode::isEmpty, "absent: only text is supported");
        }
        message.nothingElse();
        return switch (role) {
            case "system", "developer" -> ChatMessage.system(content);
            case "user" -> ChatMessage.user(content);
            case "assistant" -> ChatMessage.assistant(content);
            default ->
                throw InvalidRequest.unsupported(
                        message.full("role"), '"' + role + '"', "system, developer, user or assistant");
        };
    }

    /** A string, or an array of text parts joined without anything between. */
    private static String content(Fields message) {
        JsonNode content = message.any("content")
                .orElseThrow(() -> InvalidRequest.missing(message.full("content"), "a string or text parts"));
        if (content.isTextual()) {
            return content.textValue();
        }
        if (!content.isArray()) {
            throw InvalidRequest.value(message.full("content"), content, "a string or an array of text parts");
        }
        StringBuilder text = new StringBuilder();
        for (Fields part : message.objects("content")) {
            String type = part.requiredText("type", "text");
            if (!type.equals("text")) {
                throw InvalidRequest.unsupported(part.full("type"), '"' + type + '"', "\"text\"");
            }
            text.append(part.text("text").orElseThrow(() -> InvalidRequest.missing(part.full("text"), "a string")));
            part.nothingElse();
        }
        return text.toString();
    }

    private static Predicate<JsonNode> zero() {
        return node -> node.isNumber() && node.doubleValue() == 0;
    }

    private static Predicate<JsonNode> oneOf(String... values) {
        return node -> List.of(values).contains(node.asText());
    }

    private static Predicate<JsonNode> type(String type) {
        return node -> node.path("type").asText().equals(type);
    }

    private static boolean isMetadata(JsonNode node) {
        boolean texts = node.isObject() && node.size() <= 16;
        for (JsonNode value : node) {
            texts &= value.isTextual();
        }
        return texts;
    }
}
