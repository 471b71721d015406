package io.tidemill.model.text;

import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * One turn of a conversation.
 *
 * @param role    "system", "developer", "user", "assistant" or "tool"
 * @param content what was said, as plain text; control strings inside it are text like any other
 * @param more    what else a template may read, such as {@code tool_calls}, {@code tool_call_id} or
 *                {@code reasoning_content}: texts, numbers, truth values, null, and lists and maps of them
 */
public record ChatMessage(String role, String content, Map<String, Object> more) {
    public static final String SYSTEM = "system";
    public static final String USER = "user";
    public static final String ASSISTANT = "assistant";
    private static final Set<String> ROLES = Set.of(SYSTEM, "developer", USER, ASSISTANT, "tool");

    public ChatMessage {
        Objects.requireNonNull(content, "content of a chat message must not be null");
        if (role == null || !ROLES.contains(role)) {
            throw new IllegalArgumentException(
                    "role must be system, developer, user, assistant or tool, but was " + role);
        }
        more = TemplateValues.map(more, "a chat message");
        if (more.containsKey("role") || more.containsKey("content")) {
            throw new IllegalArgumentException(
                    "role and content of a chat message are given once, but more was " + more.keySet());
        }
    }

    /** A turn that is text alone. */
    public ChatMessage(String role, String content) {
        this(role, content, Map.of());
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(SYSTEM, content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(USER, content);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage(ASSISTANT, content);
    }

    /** Whether the model said this, so that training may learn it. */
    public boolean fromAssistant() {
        return role.equals(ASSISTANT);
    }
}
