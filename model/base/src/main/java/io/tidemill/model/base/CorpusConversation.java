package io.tidemill.model.base;

import io.tidemill.model.text.ChatMessage;
import java.util.List;

/**
 * Questions and answers made from a dictionary entry, so that the base model knows the shape of a chat.
 *
 * @param id       unique in the corpus and the same in every build
 * @param source   the work the answers are from
 * @param messages question and answer in turn, the last one an answer
 */
public record CorpusConversation(String id, String source, List<ChatMessage> messages) {
    public CorpusConversation {
        messages = List.copyOf(messages);
        if (messages.isEmpty() || !messages.get(messages.size() - 1).fromAssistant()) {
            throw new IllegalArgumentException("conversation " + id + " must end with an answer, but was " + messages);
        }
    }
}
