package io.tidemill.model.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class DemoNovelTest {
    private static final List<CorpusDocument> NOVEL = DemoNovel.documents().toList();

    @Test
    void theNovelComesInPassagesThatOneCanRead() {
        assertThat(NOVEL).hasSizeBetween(250, 400);
        assertThat(NOVEL).allMatch(passage -> passage.id().matches("persuasion/chapter-\\d+/part-\\d+"));
        assertThat(NOVEL).allMatch(passage -> passage.source().equals("persuasion"));
        assertThat(NOVEL).extracting(CorpusDocument::id).doesNotHaveDuplicates();

        assertThat(NOVEL).allMatch(passage -> Book.words(passage.text()) <= 400);
        long readable = NOVEL.stream()
                .filter(passage -> Book.words(passage.text()) >= 150)
                .count();
        assertThat(readable).isGreaterThan(NOVEL.size() * 9L / 10);
    }

    @Test
    void togetherThePassagesAreTheWholeNovelInOrder() {
        String passages = NOVEL.stream().map(CorpusDocument::text).collect(Collectors.joining(" "));
        String book = Book.read("demo", DemoNovel.NAME).sections().stream()
                .flatMap(section -> section.paragraphs().stream())
                .collect(Collectors.joining(" "));

        assertThat(passages.split("\\s+")).isEqualTo(book.split("\\s+"));
        assertThat(NOVEL.get(0).text()).startsWith("Sir Walter Elliot, of Kellynch Hall, in Somersetshire");
        assertThat(NOVEL.get(NOVEL.size() - 1).id()).startsWith("persuasion/chapter-24/");
    }
}
