package io.tidemill.model.base;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * A text of this jar: sections (chapters, entries of a lexicon) made of paragraphs.
 *
 * <p>The file is gzip of UTF-8. A line {@code = name} opens a section, blank lines part its paragraphs.
 * {@code src/main/corpus/prepare.py} writes it.
 */
record Book(String name, List<Section> sections) {
    private static final Pattern SPACE = Pattern.compile("\\s+");
    private static final Pattern SENTENCE_END = Pattern.compile("(?<=[.!?][\"')]{0,2})\\s+(?=[\"'(]?\\p{Lu})");

    record Section(String name, List<String> paragraphs) {}

    /** Reads {@code folder/name.txt.gz} beside this class. */
    static Book read(String folder, String name) {
        String resource = folder + "/" + name + ".txt.gz";
        try (InputStream packed = Book.class.getResourceAsStream(resource)) {
            if (packed == null) {
                throw new IllegalStateException("Resource " + resource + " is missing from the jar; build it again.");
            }
            return new Book(
                    name,
                    sections(new BufferedReader(
                            new InputStreamReader(new GZIPInputStream(packed), StandardCharsets.UTF_8))));
        } catch (IOException e) {
            throw new UncheckedIOException("Resource " + resource + " could not be read", e);
        }
    }

    private static List<Section> sections(BufferedReader reader) throws IOException {
        List<Section> sections = new ArrayList<>();
        StringBuilder paragraph = new StringBuilder();
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.startsWith("= ")) {
                sections.add(new Section(line.substring(2), new ArrayList<>()));
            } else if (!line.isBlank()) {
                paragraph.append(paragraph.length() == 0 ? "" : "\n").append(line);
                continue;
            }
            close(paragraph, sections);
        }
        close(paragraph, sections);
        return sections;
    }

    private static void close(StringBuilder paragraph, List<Section> sections) {
        if (paragraph.length() > 0) {
            sections.get(sections.size() - 1).paragraphs().add(paragraph.toString());
            paragraph.setLength(0);
        }
    }

    /**
     * The book as documents, each some whole paragraphs of one section; a paragraph too long is cut after a sentence.
     *
     * @param enoughWords a document ends with the paragraph that reaches this
     * @param mostWords   no document is longer, unless one sentence is
     */
    Stream<CorpusDocument> documents(int enoughWords, int mostWords) {
        return sections.stream().flatMap(section -> {
            List<CorpusDocument> documents = new ArrayList<>();
            for (String text : parts(section, enoughWords, mostWords)) {
                String id = name + "/" + section.name() + "/part-" + (documents.size() + 1);
                documents.add(new CorpusDocument(id, name, text));
            }
            return documents.stream();
        });
    }

    private static List<String> parts(Section section, int enoughWords, int mostWords) {
        List<List<String>> parts = new ArrayList<>(List.of(new ArrayList<>()));
        for (String paragraph : section.paragraphs()) {
            for (String piece : pieces(paragraph, mostWords)) {
                List<String> last = parts.get(parts.size() - 1);
                if (words(last) >= enoughWords || (!last.isEmpty() && words(last) + words(piece) > mostWords)) {
                    last = new ArrayList<>();
                    parts.add(last);
                }
                last.add(piece);
            }
        }
        // A short rest joins the part before it rather than stand alone.
        int end = parts.size() - 1;
        if (end > 0 && words(parts.get(end)) + words(parts.get(end - 1)) <= mostWords) {
            parts.get(end - 1).addAll(parts.remove(end));
        }
        return parts.stream().map(part -> String.join("\n\n", part)).toList();
    }

    private static List<String> pieces(String paragraph, int mostWords) {
        if (words(paragraph) <= mostWords) {
            return List.of(paragraph);
        }
        List<String> pieces = new ArrayList<>();
        StringBuilder piece = new StringBuilder();
        for (String sentence : SENTENCE_END.split(paragraph)) {
            if (piece.length() > 0 && words(piece.toString()) + words(sentence) > mostWords) {
                pieces.add(piece.toString());
                piece.setLength(0);
            }
            piece.append(piece.length() == 0 ? "" : " ").append(sentence);
        }
        pieces.add(piece.toString());
        return pieces;
    }

    private static int words(List<String> paragraphs) {
        return paragraphs.stream().mapToInt(Book::words).sum();
    }

    static int words(String text) {
        return text.isBlank() ? 0 : SPACE.split(text.strip()).length;
    }
}
