package io.tidemill.trainer.offline;

import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.EncodedChat;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.data.Prompt;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Examples as the model's tokens. Messages go through its chat template; text that is no chat is taken as it is, and ends
 * with the end-of-text token where an answer or a document ends.
 */
final class Texts implements AutoCloseable {
    private final Tokenizer tokenizer;
    private final Path directory;
    private ChatEncoder chats; // once it is needed: not every model has a template

    Texts(Path modelDirectory) throws IOException {
        this.tokenizer = Tokenizer.load(modelDirectory);
        this.directory = modelDirectory;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** A document, all of it learned. */
    TrainingSequence document(Example.Text example) throws Mistake {
        int[] ids = encode(example.text());
        return new TrainingSequence(example.origin().id(), ended(ids), new boolean[0], 1);
    }

    /** A conversation, of which the assistant's part is learned. */
    TrainingSequence chat(Example.Chat example) throws Mistake {
        EncodedChat chat = templated(() -> chats().conversation(example.messages()));
        return new TrainingSequence(example.origin().id(), chat.ids(), chat.assistantMask(), 1);
    }

    /** A prompt with its answer, which is learned. */
    TrainingSequence completion(Example.Completion example) throws Mistake {
        int[] prompt = prompt(example.prompt());
        int[] answer = answer(example.prompt(), example.completion());
        boolean[] mask = new boolean[prompt.length + answer.length];
        Arrays.fill(mask, prompt.length, mask.length, true);
        return new TrainingSequence(example.origin().id(), joined(prompt, answer), mask, 1);
    }

    /** Up to where the answer begins; at least one token. */
    int[] prompt(Prompt prompt) throws Mistake {
        int[] ids = prompt.isChat() ? templated(() -> chats().prompt(prompt.messages())) : encode(prompt.text());
        if (ids.length == 0) {
            throw new Mistake("empty", "the prompt has no tokens; fill it");
        }
        return ids;
    }

    /** From its first token to the one that ends it. */
    int[] answer(Prompt prompt, String answer) throws Mistake {
        return prompt.isChat() ? templated(() -> chats().answer(answer)) : ended(encode(answer));
    }

    /** The token that the template writes after an answer; empty where there is no template. */
    OptionalInt endOfTurn() {
        try {
            int[] answer = chats().answer("a");
            return OptionalInt.of(answer[answer.length - 1]);
        } catch (IOException | RuntimeException none) { // said where a chat is to be encoded
            return OptionalInt.empty();
        }
    }

    private int[] encode(String text) throws Mistake {
        return templated(() -> tokenizer.encode(text));
    }

    private int[] ended(int[] ids) {
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = tokenizer.endOfText();
        return ended;
    }

    static int[] joined(int[] first, int[] second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }

    /** Something that the tokenizer or the template may refuse. */
    @FunctionalInterface
    private interface Encoding<T> {
        T encode() throws IOException;
    }

    /** Templates are programs: what they throw has no common type, but names the template. */
    private static <T> T templated(Encoding<T> encoding) throws Mistake {
        try {
            return encoding.encode();
        } catch (IOException | RuntimeException e) {
            throw new Mistake("template", e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }

    private ChatEncoder chats() throws IOException {
        if (chats == null) {
            chats = new ChatEncoder(tokenizer, ChatTemplate.load(directory));
        }
        return chats;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
