package io.tidemill.model.text;

import java.util.List;
import java.util.Map;

/**
 * What a chat template renders.
 *
 * @param messages the turns, oldest first
 * @param tools    functions that the model may call, in JSON schema as OpenAI defines it; empty for none
 * @param options  variables of the template's own, such as {@code enable_thinking}
 */
public record Conversation(List<ChatMessage> messages, List<Map<String, Object>> tools, Map<String, Object> options) {
    public Conversation {
        messages = List.copyOf(messages);
        tools = tools.stream().map(tool -> TemplateValues.map(tool, "tools")).toList();
        options = TemplateValues.map(options, "options");
    }

    public static Conversation of(List<ChatMessage> messages) {
        return new Conversation(messages, List.of(), Map.of());
    }

    /** The same tools and options with other turns. */
    Conversation with(List<ChatMessage> others) {
        return new Conversation(others, tools, options);
    }
}
