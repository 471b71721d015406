package io.tidemill.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.model.text.jinja.JinjaException;
import io.tidemill.model.text.jinja.JinjaTemplate;
import io.tidemill.model.text.jinja.Rendering;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a model writes a conversation: its own Jinja template, rendered as transformers' {@code apply_chat_template} does.
 */
public final class ChatTemplate {
    private final String name;
    private final String source;
    private final Map<String, String> specialTokens;
    private final JinjaTemplate template;

    private ChatTemplate(String name, String source, Map<String, String> specialTokens) {
        this.name = name;
        this.source = source;
        this.specialTokens = Map.copyOf(specialTokens);
        try {
            this.template = JinjaTemplate.parse(source);
        } catch (JinjaException e) {
            throw new IllegalArgumentException(name + " cannot be used: " + e.getMessage(), e);
        }
    }

    /**
     * The template of a model's directory: {@code chat_template.jinja}, or {@code chat_template} of
     * {@code tokenizer_config.json}.
     */
    public static ChatTemplate load(Path directory) throws IOException {
        Map<String, String> tokens = new HashMap<>();
        JsonNode inline = null;
        for (String file : List.of("special_tokens_map.json", "tokenizer_config.json")) {
            Path path = directory.resolve(file);
            if (Files.isRegularFile(path)) {
                SpecialTokens read = SpecialTokens.read(path);
                tokens.putAll(read.all());
                inline = read.root().get("chat_template");
            }
        }
        Path path = directory.resolve("chat_template.jinja");
        if (Files.isRegularFile(path)) {
            return new ChatTemplate("Chat template " + path, Files.readString(path), tokens);
        }
        String name = "Chat template of " + directory.resolve("tokenizer_config.json");
        if (inline != null && inline.isTextual()) {
            return new ChatTemplate(name, inline.textValue(), tokens);
        }
        if (inline != null) { // several, each with a name
            for (JsonNode each : inline) {
                if (each.path("name").asText().equals("default")) {
                    return new ChatTemplate(name, each.path("template").asText(), tokens);
                }
            }
        }
        throw new NoSuchFileException(
                directory.toString(),
                null,
                "There is no chat template: neither chat_template.jinja nor chat_template in tokenizer_config.json.");
    }

    /**
     * A template given as text.
     *
     * @param specialTokens such as {@code bos_token} and its string, as the template names them
     */
    public static ChatTemplate of(String jinja, Map<String, String> specialTokens) {
        String start = jinja.length() > 40 ? jinja.substring(0, 40) + "…" : jinja;
        return new ChatTemplate("Chat template '" + start + "'", jinja, specialTokens);
    }

    /** The conversation as the model reads it, with the start of an answer where one is asked for. */
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return rendering(messages, addGenerationPrompt).text();
    }

    Rendering rendering(List<ChatMessage> messages, boolean addGenerationPrompt) {
        Map<String, Object> variables = new HashMap<>(specialTokens);
        variables.put("messages", messages.stream().map(ChatTemplate::variable).toList());
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.put("tools", null);
        variables.put("documents", null);
        try {
            return template.render(variables);
        } catch (JinjaException e) {
            throw new IllegalArgumentException(name + " cannot render this conversation: " + e.getMessage(), e);
        }
    }

    /** Role before content, as transformers has them: a template may print the whole message. */
    private static Map<String, String> variable(ChatMessage message) {
        Map<String, String> variable = new LinkedHashMap<>();
        variable.put("role", message.role());
        variable.put("content", message.content());
        return variable;
    }

    /** The Jinja text. */
    public String source() {
        return source;
    }

    /** Where the template is from, to begin a sentence about it. */
    String name() {
        return name;
    }
}
