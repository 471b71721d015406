package io.tidemill.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.model.text.jinja.JinjaException;
import io.tidemill.model.text.jinja.JinjaTemplate;
import io.tidemill.model.text.jinja.Limits;
import io.tidemill.model.text.jinja.Rendering;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
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
    private final Clock clock;
    private final JinjaTemplate template;
    /** For conversations with tools, where the model has another template for them; else null. */
    private final ChatTemplate withTools;

    private ChatTemplate(
            String name,
            String source,
            Map<String, String> specialTokens,
            Clock clock,
            JinjaTemplate template,
            ChatTemplate withTools) {
        this.name = name;
        this.source = source;
        this.specialTokens = Map.copyOf(specialTokens);
        this.clock = clock;
        this.template = template;
        this.withTools = withTools;
    }

    private static ChatTemplate of(
            String name, String source, Map<String, String> specialTokens, ChatTemplate withTools) {
        try {
            JinjaTemplate template = JinjaTemplate.parse(source);
            return new ChatTemplate(name, source, specialTokens, Clock.systemDefaultZone(), template, withTools);
        } catch (JinjaException e) {
            throw new IllegalArgumentException(name + " cannot be used: " + e.getMessage(), e);
        }
    }

    /**
     * The template of a model's directory: {@code chat_template.jinja}, or {@code chat_template} of
     * {@code tokenizer_config.json}. Of several there, {@code default} is for conversations without tools and
     * {@code tool_use}, where it is, for those with.
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
            Path tools = directory.resolve("additional_chat_templates").resolve("tool_use.jinja");
            ChatTemplate withTools = Files.isRegularFile(tools)
                    ? of("Chat template " + tools, Files.readString(tools), tokens, null)
                    : null;
            return of("Chat template " + path, Files.readString(path), tokens, withTools);
        }
        String name = "Chat template of " + directory.resolve("tokenizer_config.json");
        if (inline != null && inline.isTextual()) {
            return of(name, inline.textValue(), tokens, null);
        }
        Map<String, String> several = new HashMap<>();
        if (inline != null) { // several, each with a name
            inline.forEach(each -> several.put(
                    each.path("name").asText(), each.path("template").asText()));
        }
        if (several.containsKey("default")) {
            ChatTemplate withTools = several.containsKey("tool_use")
                    ? of(name + ", tool_use", several.get("tool_use"), tokens, null)
                    : null;
            return of(name, several.get("default"), tokens, withTools);
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
        return of("Chat template '" + start + "'", jinja, specialTokens, null);
    }

    /** The same template reading another clock: some write today's date. */
    public ChatTemplate at(Clock other) {
        return new ChatTemplate(
                name, source, specialTokens, other, template, withTools == null ? null : withTools.at(other));
    }

    /** The conversation as the model reads it, with the start of an answer where one is asked for. */
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return render(Conversation.of(messages), addGenerationPrompt);
    }

    /** The same with tools and the template's own options. */
    public String render(Conversation conversation, boolean addGenerationPrompt) {
        return rendering(conversation, addGenerationPrompt).text();
    }

    Rendering rendering(Conversation conversation, boolean addGenerationPrompt) {
        ChatTemplate chosen = chosen(conversation);
        Map<String, Object> variables = new HashMap<>(specialTokens);
        variables.put(
                "messages",
                conversation.messages().stream().map(ChatTemplate::variable).toList());
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.put("tools", conversation.tools().isEmpty() ? null : conversation.tools());
        variables.put("documents", null);
        variables.putAll(conversation.options());
        try {
            return chosen.template.render(variables, clock, Limits.USUAL);
        } catch (JinjaException e) {
            throw new IllegalArgumentException(chosen.name + " cannot render this conversation: " + e.getMessage(), e);
        }
    }

    private ChatTemplate chosen(Conversation conversation) {
        return conversation.tools().isEmpty() || withTools == null ? this : withTools;
    }

    /** Whether the template for such a conversation says by marks what the assistant generates. */
    boolean hasGenerationMarks(Conversation conversation) {
        return chosen(conversation).template.hasGenerationMarks();
    }

    /** Role before content, as transformers has them: a template may print the whole message. */
    private static Map<String, Object> variable(ChatMessage message) {
        Map<String, Object> variable = new LinkedHashMap<>();
        variable.put("role", message.role());
        variable.put("content", message.content());
        variable.putAll(message.more());
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
