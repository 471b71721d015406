package io.tidemill.model.base;

import java.util.stream.Stream;

/**
 * The novel that the base model has not read: Jane Austen's "Persuasion", in passages of about 150 to 400 words, as the
 * demo streams them.
 */
public final class DemoNovel {
    /** Source of the documents, and the first part of their ids: {@code persuasion/chapter-4/part-2}. */
    public static final String NAME = "persuasion";

    private static final int ENOUGH_WORDS = 200;
    private static final int MOST_WORDS = 400;

    private DemoNovel() {}

    /** The passages in the order of the book. */
    public static Stream<CorpusDocument> documents() {
        return Book.read("demo", NAME).documents(ENOUGH_WORDS, MOST_WORDS);
    }
}
