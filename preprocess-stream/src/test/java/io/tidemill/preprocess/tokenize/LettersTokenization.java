package io.tidemill.preprocess.tokenize;

import io.tidemill.proto.v1.ChatMessage;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.stream.IntStream;

/** A tokenizer for tests: a letter is its code point, 0 ends a text and each turn of a chat. */
public final class LettersTokenization implements Tokenization {
    public static final String FINGERPRINT = "1e77e45000000000";

    @Override
    public String fingerprint() {
        return FINGERPRINT;
    }

    @Override
    public int endOfText() {
        return 0;
    }

    @Override
    public int[] encode(String text) throws UnusableTextException {
        if (text.contains("<control>")) {
            throw new UnusableTextException("control-token", "the text spells <control>");
        }
        return text.codePoints().toArray();
    }

    @Override
    public Encoded encode(List<ChatMessage> conversation) throws UnusableTextException {
        ByteArrayOutputStream mask = new ByteArrayOutputStream();
        IntStream ids = IntStream.empty();
        for (ChatMessage message : conversation) {
            int[] turn = IntStream.concat(IntStream.of(encode(message.getContent())), IntStream.of(0))
                    .toArray();
            ids = IntStream.concat(ids, IntStream.of(turn));
            for (int i = 0; i < turn.length; i++) {
                mask.write(message.getRole().equals("assistant") ? 1 : 0);
            }
        }
        if (IntStream.range(0, mask.size()).noneMatch(i -> mask.toByteArray()[i] == 1)) {
            throw new UnusableTextException("empty-mask", "template 'letters' marks nothing as the assistant's");
        }
        return new Encoded(
                ids.toArray(),
                mask.toByteArray(),
                Material.utf8Bytes(
                        conversation.stream().map(ChatMessage::getContent).toList()));
    }

    @Override
    public void close() {}
}
