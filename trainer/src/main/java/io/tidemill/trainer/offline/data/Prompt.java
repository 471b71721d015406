package io.tidemill.trainer.offline.data;

import io.tidemill.model.text.ChatMessage;
import java.util.List;

/**
 * What an answer is given to: messages that the chat template renders, or text as it is.
 *
 * @param messages empty where it is text
 * @param text     empty where it is messages
 */
public record Prompt(List<ChatMessage> messages, String text) {
    public Prompt {
        messages = List.copyOf(messages);
    }

    static Prompt of(List<ChatMessage> messages) {
        return new Prompt(messages, "");
    }

    static Prompt of(String text) {
        return new Prompt(List.of(), text);
    }

    public boolean isChat() {
        return !messages.isEmpty();
    }
}
