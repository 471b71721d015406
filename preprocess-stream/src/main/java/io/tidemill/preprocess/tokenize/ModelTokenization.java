package io.tidemill.preprocess.tokenize;

import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.EncodedChat;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.v1.ChatMessage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The tokenizer and chat template of a Hugging Face directory. Native memory lives until {@link #close}.
 *
 * <p>A model without a chat template tokenizes documents; conversations are refused with that reason.
 */
public final class ModelTokenization implements Tokenization {
    private final Tokenizer tokenizer;
    private final ChatEncoder chats;
    private final String withoutTemplate;

    private ModelTokenization(Tokenizer tokenizer, ChatEncoder chats, String withoutTemplate) {
        this.tokenizer = tokenizer;
        this.chats = chats;
        this.withoutTemplate = withoutTemplate;
    }

    /** Opens the tokenizer and, where there is one, the chat template of the directory. */
    public static ModelTokenization load(Path huggingFaceDirectory) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(huggingFaceDirectory);
        try {
            ChatTemplate template = ChatTemplate.load(huggingFaceDirectory);
            return new ModelTokenization(tokenizer, new ChatEncoder(tokenizer, template), "");
        } catch (IOException | IllegalArgumentException e) {
            return new ModelTokenization(
                    tokenizer, null, "the model's chat template cannot be used: " + e.getMessage());
        }
    }

    @Override
    public String fingerprint() {
        return tokenizer.fingerprint();
    }

    @Override
    public int endOfText() {
        return tokenizer.endOfText();
    }

    @Override
    public int[] encode(String text) throws UnusableTextException {
        try {
            return tokenizer.encode(text);
        } catch (IllegalArgumentException e) {
            throw new UnusableTextException("control-token", e.getMessage());
        }
    }

    @Override
    public Encoded encode(List<ChatMessage> conversation) throws UnusableTextException {
        if (chats == null) {
            throw new UnusableTextException("template", withoutTemplate);
        }
        try {
            EncodedChat chat = chats.conversation(conversation.stream()
                    .map(message -> new io.tidemill.model.text.ChatMessage(message.getRole(), message.getContent()))
                    .toList());
            return new Encoded(chat.ids(), bytes(chat.assistantMask()), Material.utf8Bytes(contents(conversation)));
        } catch (RuntimeException e) { // a template is a program of the model's: whatever it does ends this record only
            throw new UnusableTextException("template", e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }

    private static List<String> contents(List<ChatMessage> conversation) {
        return conversation.stream().map(ChatMessage::getContent).toList();
    }

    private static byte[] bytes(boolean[] mask) {
        byte[] bytes = new byte[mask.length];
        for (int i = 0; i < mask.length; i++) {
            bytes[i] = (byte) (mask[i] ? 1 : 0);
        }
        return bytes;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
