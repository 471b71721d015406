package io.tidemill.feedback.answer;

import io.tidemill.model.text.ChatMessage;
import java.util.List;

/** What the model is asked: a conversation, or a text to go on with. */
public sealed interface Question {
    /** The question as messages; raw text is one message of a user. */
    List<ChatMessage> messages();

    /** Whether the text reaches the model without a chat template. */
    boolean raw();

    /** A conversation that the model's own chat template renders. */
    record Chat(List<ChatMessage> messages) implements Question {
        public Chat {
            messages = List.copyOf(messages);
        }

        @Override
        public boolean raw() {
            return false;
        }
    }

    /** Text that the model continues. */
    record RawText(String text) implements Question {
        @Override
        public List<ChatMessage> messages() {
            return List.of(ChatMessage.user(text));
        }

        @Override
        public boolean raw() {
            return true;
        }
    }
}
