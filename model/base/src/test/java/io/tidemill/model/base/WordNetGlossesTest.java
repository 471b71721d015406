package io.tidemill.model.base;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.base.WordNetGlosses.Sense;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordNetGlossesTest {
    @Test
    void everySenseOfWordNetIsRead() {
        List<Sense> senses = WordNetGlosses.senses().toList();

        assertThat(senses).hasSize(117_791);
        assertThat(senses).extracting(Sense::id).doesNotHaveDuplicates();
        assertThat(senses).noneMatch(sense -> sense.definition().isBlank());
        assertThat(senses).noneMatch(sense -> sense.entry().contains("_of_"));
    }

    @Test
    void aLineBecomesWordsDefinitionAndExamples() {
        Sense sense = WordNetGlosses.sense(
                "adj",
                "00019874 00 s 02 in_stock(p) 0 ready-made 1 001 & 00019731 a 0000 | kept ready; to be had at once;"
                        + " \"it is in stock\"; \"a ready-made suit\"  ");

        assertThat(sense.words()).containsExactly("in stock", "ready-made");
        assertThat(sense.definition()).isEqualTo("kept ready; to be had at once");
        assertThat(sense.examples()).containsExactly("it is in stock", "a ready-made suit");
        assertThat(sense.entry())
                .isEqualTo("in stock, ready-made (adjective): kept ready; to be had at once;"
                        + " \"it is in stock\"; \"a ready-made suit\"");
    }
}
