package io.tidemill.model.base;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.text.ChatMessage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes 50 beginnings of text that the base has not learned from, for {@code bench/peers/make_base_fixture.py}: 25 of
 * documents, of 5 to 77 words, and 25 of conversations, each up to what a user says, every other one to the second time.
 */
final class HeldOutPrompts {
    private static final int OF_EACH = 25;

    private HeldOutPrompts() {}

    /** @param arguments the model's directory to make, and the file of prompts to write */
    public static void main(String[] arguments) throws IOException {
        BaseModel.extractTo(Path.of(arguments[0]));
        ObjectMapper json = new ObjectMapper();
        ObjectNode prompts = json.createObjectNode();
        ArrayNode texts = prompts.putArray("texts");
        List<CorpusDocument> documents = Corpus.heldOut().toList();
        for (int i = 0; i < OF_EACH; i++) {
            String text = documents.get(i * documents.size() / OF_EACH).text();
            texts.add(firstWords(text, 5 + 3 * i));
        }
        ArrayNode chats = prompts.putArray("chats");
        List<CorpusConversation> conversations = Corpus.heldOutConversations().toList();
        for (int i = 0; i < OF_EACH; i++) {
            int least = i % 2 == 0 ? 1 : 3;
            List<ChatMessage> messages =
                    conversations.subList(i * conversations.size() / OF_EACH, conversations.size()).stream()
                            .map(CorpusConversation::messages)
                            .filter(all -> all.size() > least)
                            .findFirst()
                            .orElseThrow();
            ArrayNode chat = chats.addArray();
            for (ChatMessage message : messages.subList(0, least)) {
                chat.addObject().put("role", message.role()).put("content", message.content());
            }
        }
        json.writeValue(Path.of(arguments[1]).toFile(), prompts);
    }

    private static String firstWords(String text, int words) {
        int at = 0;
        for (int i = 0; i < words && at >= 0; i++) {
            at = text.indexOf(' ', at + 1);
        }
        return at < 0 ? text : text.substring(0, at);
    }
}
