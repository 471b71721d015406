package io.tidemill.model.base;

/**
 * One piece of running text.
 *
 * @param id     unique in the corpus and the same in every build, such as {@code emma/chapter-3/part-2}
 * @param source the work it is from, such as {@code emma}
 * @param text   paragraphs parted by a blank line
 */
public record CorpusDocument(String id, String source, String text) {
    public CorpusDocument {
        if (id.isBlank() || source.isBlank() || text.isBlank()) {
            throw new IllegalArgumentException(
                    "a document needs an id, a source and text, but was " + id + ", " + source + ", '" + text + "'");
        }
    }
}
