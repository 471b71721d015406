package io.tidemill.trainer.pretrain;

import io.tidemill.model.base.Corpus;
import io.tidemill.model.base.CorpusConversation;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.data.TrainingSequence;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Tokenizes the embedded {@link Corpus} with the tokenizer and the chat template of a model's directory. */
public final class EmbeddedText {

    private EmbeddedText() {}

    /** Documents end with the end-of-text token; conversations are rendered by the template and learned whole. */
    public static PretrainText read(Path modelDirectory) throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(modelDirectory)) {
            ChatEncoder chats = new ChatEncoder(tokenizer, ChatTemplate.load(modelDirectory));
            List<TrainingSequence> training = new ArrayList<>();
            try (Stream<CorpusDocument> documents = Corpus.training();
                    Stream<CorpusConversation> conversations = Corpus.conversations()) {
                documents.forEach(document ->
                        training.add(sequence(document.id(), withEnd(tokenizer.encode(document.text()), tokenizer))));
                conversations.forEach(conversation -> training.add(sequence(
                        conversation.id(),
                        chats.conversation(conversation.messages()).ids())));
            }
            List<int[]> heldOut = new ArrayList<>();
            long heldOutBytes = 0;
            for (CorpusDocument document : Corpus.heldOut().toList()) {
                heldOut.add(withEnd(tokenizer.encode(document.text()), tokenizer));
                heldOutBytes += document.text().getBytes(StandardCharsets.UTF_8).length;
            }
            return new PretrainText(training, heldOut, heldOutBytes);
        }
    }

    private static TrainingSequence sequence(String id, int[] ids) {
        return new TrainingSequence(id, ids, new boolean[0], 1);
    }

    private static int[] withEnd(int[] ids, Tokenizer tokenizer) {
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = tokenizer.endOfText();
        return ended;
    }
}
