package io.tidemill.preprocess.tokenize;

import io.tidemill.proto.v1.ChatMessage;
import java.util.List;

/** What this service needs of a model's tokenizer and chat template. */
public interface Tokenization extends AutoCloseable {
    /** First 16 hexadecimal digits of the SHA-256 of {@code tokenizer.json}. */
    String fingerprint();

    /** The id that ends a text. */
    int endOfText();

    /**
     * Ids of text as people write it, with nothing added.
     *
     * @throws UnusableTextException where the tokenizer cannot tell the text from a control token
     */
    int[] encode(String text) throws UnusableTextException;

    /**
     * A conversation as the chat template renders it.
     *
     * @throws UnusableTextException where the template refuses the conversation; names the template
     */
    Encoded encode(List<ChatMessage> conversation) throws UnusableTextException;

    @Override
    void close();
}
