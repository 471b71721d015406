package io.tidemill.model.text;

import java.util.Objects;
import java.util.Set;

/**
 * One turn of a conversation.
 *
 * @param role    "system", "user" or "assistant"
 * @param content what was said, as plain text; control strings inside it are text like any other
 */
public record ChatMessage(String role, String content) {
    public static final String SYSTEM = "system";
    public static final String USER = "user";
    public static final String ASSISTANT = "assistant";
    private static final Set<String> ROLES = Set.of(SYSTEM, USER, ASSISTANT);

    public ChatMessage {
        Objects.requireNonNull(content, "content of a chat message must not be null");
        if (role == null || !ROLES.contains(role)) {
            throw new IllegalArgumentException("role must be system, user or assistant, but was " + role);
        }
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
