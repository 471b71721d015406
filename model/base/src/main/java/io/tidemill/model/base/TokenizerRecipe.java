package io.tidemill.model.base;

import io.tidemill.model.text.BpeTrainer;
import io.tidemill.model.text.BpeVocabulary;
import io.tidemill.model.text.ChatMessage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * How the tokenizer of the base model is made from its corpus. The same text gives the same bytes, so running it again
 * proves the files in this jar.
 */
public final class TokenizerRecipe {
    /** Separates documents, begins and ends a text. */
    public static final String END_OF_TEXT = "<|endoftext|>";

    public static final String TURN_START = "<|im_start|>";
    public static final String TURN_END = "<|im_end|>";

    /** Tokens in all: three special ones, 256 bytes, 5,885 merges. */
    public static final int VOCABULARY_SIZE = 6144;

    /** Tokens; the longest sequence that the base model takes. */
    public static final int MAX_LENGTH = 1024;

    /** ChatML. */
    public static final String CHAT_TEMPLATE = "{% for message in messages %}"
            + "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
            + "{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private TokenizerRecipe() {}

    /** Makes the base model's tokenizer in the directory given as the only argument. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            throw new IllegalArgumentException(
                    "one argument is needed, the directory to write to, but there were " + arguments.length);
        }
        make(texts(), VOCABULARY_SIZE, Path.of(arguments[0]));
    }

    /** All text that the base model trains on, the sayings of conversations included. */
    public static Stream<String> texts() {
        Stream<String> sayings = Stream.of(1)
                .flatMap(once -> Corpus.conversations())
                .flatMap(conversation -> conversation.messages().stream().map(ChatMessage::content));
        return Stream.concat(Corpus.training().map(CorpusDocument::text), sayings);
    }

    /** Learns a vocabulary from the texts and writes {@code tokenizer.json} and {@code tokenizer_config.json}. */
    public static void make(Stream<String> texts, int vocabularySize, Path directory) throws IOException {
        BpeTrainer trainer = new BpeTrainer(vocabularySize, List.of(END_OF_TEXT, TURN_START, TURN_END));
        texts.forEachOrdered(trainer::add);
        BpeVocabulary vocabulary = trainer.train();
        vocabulary.write(directory, END_OF_TEXT, CHAT_TEMPLATE, MAX_LENGTH);
    }
}
