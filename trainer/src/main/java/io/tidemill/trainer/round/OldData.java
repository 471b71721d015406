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
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Text that the base model was made for, to see that it is not forgotten; the same every round. */
final class OldData {
    private static final long SAMPLE = 0x6f6c_6464L;
    private static final String EMBEDDED = "embedded";

    /** The embedded text by its tokenizer's fingerprint: to take it in takes seconds, and it is the same for ever. */
    private static final Map<String, List<TokenSequence>> OF_EMBEDDED = new ConcurrentHashMap<>();

    private OldData() {}

    /**
     * The windows of a decoder's lineage.
     *
     * @param base    of the lineage
     * @param oldData JSONL of the operator, or empty
     * @return nothing where neither is given
     */
    static List<Window> windows(String base, String oldData, Tokenizer tokenizer, int length, int maximum)
            throws IOException {
        List<Window> windows = sequences(base, oldData, tokenizer).stream()
                .flatMap(sequence -> Window.cut(sequence, length).stream())
                .toList();
        return sample(maximum, windows, Window::id);
    }

    /** All of it, a document a sequence; as {@link #windows}. */
    static List<TokenSequence> sequences(String base, String oldData, Tokenizer tokenizer) throws IOException {
        if (!oldData.isEmpty()) {
            return lines(Path.of(oldData)).stream()
                    .map(document -> sequence(document, tokenizer))
                    .toList();
        }
        return base.equals(EMBEDDED)
                ? OF_EMBEDDED.computeIfAbsent(tokenizer.fingerprint(), key -> embedded(tokenizer))
                : List.of();
    }

    private static List<TokenSequence> embedded(Tokenizer tokenizer) {
        try (Stream<CorpusDocument> documents = Corpus.heldOut()) {
            return documents.map(document -> sequence(document, tokenizer)).toList();
        }
    }

    static <T> List<T> sample(int maximum, List<T> parts, Function<T, String> id) {
        return new ExampleOrder(SAMPLE).first(maximum, parts, id);
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
