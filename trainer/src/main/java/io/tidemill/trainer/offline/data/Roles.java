package io.tidemill.trainer.offline.data;

import io.tidemill.model.text.ChatMessage;
import java.util.List;

/** Who speaks after whom. */
final class Roles {
    private Roles() {}

    static List<String> of(List<ChatMessage> messages) {
        return messages.stream().map(ChatMessage::role).toList();
    }

    static ChatMessage last(List<ChatMessage> messages) {
        return messages.get(messages.size() - 1);
    }

    /** A system message only at the start; then user and assistant by turns, tools between a call and what follows. */
    static void check(String column, List<ChatMessage> messages) throws Mistake {
        String before = "";
        for (int i = 0; i < messages.size(); i++) {
            String role = messages.get(i).role();
            boolean fine =
                    switch (role) {
                        case "system", "developer" -> i == 0;
                        case "user" ->
                            before.isEmpty()
                                    || before.equals("system")
                                    || before.equals("developer")
                                    || before.equals("assistant");
                        case "assistant" -> before.equals("user") || before.equals("tool");
                        default -> before.equals("assistant") || before.equals("tool");
                    };
            if (!fine) {
                throw new Mistake(
                        "wrong-role",
                        "'" + column + "' has " + role + " at place " + (i + 1) + " of " + of(messages)
                                + "; after an optional system message, user and assistant take turns, the user first");
            }
            before = role;
        }
    }
}
