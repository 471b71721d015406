package io.tidemill.trainer.round;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.model.base.Corpus;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.gate.Window;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Windows of the text that the base model was made for, to see that it is not forgotten; the same ones every round. */
final class OldData {
    private static final long SAMPLE = 0x6f6c_6464L;
    private static final String EMBEDDED = "embedded";

    private OldData() {}

    /**
     * The windows of a lineage.
     *
     * @param base    of the lineage
     * @param oldData JSONL of the operator, or empty
     * @return nothing where neither is given
     */
    static List<Window> windows(String base, String oldData, Tokenizer tokenizer, int length, int maximum)
            throws IOException {
        if (!oldData.isEmpty()) {
            return sample(lines(Path.of(oldData)), tokenizer, length, maximum);
        }
        if (base.equals(EMBEDDED)) {
            try (Stream<CorpusDocument> documents = Corpus.heldOut()) {
                return sample(documents.toList(), tokenizer, length, maximum);
            }
        }
        return List.of();
    }

    private static List<CorpusDocument> lines(Path file) throws IOException {
        List<CorpusDocument> documents = new ArrayList<>();
        try (Stream<String> lines = Files.lines(file)) {
            lines.filter(line -> !line.isBlank()).forEach(line -> {
                String id = file.getFileName() + ":" + (documents.size() + 1);
                documents.add(new CorpusDocument(id, file.getFileName().toString(), text(id, line)));
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return documents;
    }

    private static String text(String id, String line) {
        try {
            JsonNode text = WorkDirectory.JSON.readTree(line).path("text");
            if (!text.isTextual() || text.asText().isBlank()) {
                throw new IOException("trainer.gate.old-data: " + id + " needs a \"text\", a string that is not blank");
            }
            return text.asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Window> sample(List<CorpusDocument> documents, Tokenizer tokenizer, int length, int maximum) {
        List<Window> windows = documents.stream()
                .flatMap(document -> Window.cut(sequence(document, tokenizer), length).stream())
                .toList();
        return new ExampleOrder(SAMPLE).first(maximum, windows, Window::id);
    }

    private static TokenSequence sequence(CorpusDocument document, Tokenizer tokenizer) {
        return TokenSequence.newBuilder()
                .setExampleId(document.id())
                .addAllIds(IntStream.concat(
                                IntStream.of(tokenizer.encode(document.text())), IntStream.of(tokenizer.endOfText()))
                        .boxed()
                        .toList())
                .setTextBytes(document.text().getBytes(StandardCharsets.UTF_8).length)
                .build();
    }
}
