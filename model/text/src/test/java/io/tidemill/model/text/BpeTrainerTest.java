package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {
    @Test
    void theVocabularyEqualsHuggingFacesToTheLastToken() {
        List<String> expected = new ArrayList<>();
        Fixtures.json("bpe-600.json").get("tokens").forEach(token -> expected.add(token.asText()));

        assertThat(Fixtures.vocabulary().tokens()).hasSize(600).isEqualTo(expected);
    }

    @Test
    void theMergesEqualHuggingFacesInOrder() {
        List<BpeVocabulary.Merge> expected = new ArrayList<>();
        for (JsonNode merge : Fixtures.json("bpe-600.json").get("merges")) {
            expected.add(
                    new BpeVocabulary.Merge(merge.get(0).asText(), merge.get(1).asText()));
        }

        assertThat(Fixtures.vocabulary().merges()).isEqualTo(expected);
    }

    @Test
    void amongPairsOfOneCountTheLowestIdsAreMergedFirst() {
        BpeTrainer trainer = new BpeTrainer(258, List.of());
        trainer.add("cd");
        trainer.add("ab");

        // Both pairs occur once; 'a' has a lower id than 'c'.
        assertThat(trainer.train().merges())
                .containsExactly(new BpeVocabulary.Merge("a", "b"), new BpeVocabulary.Merge("c", "d"));
    }

    @Test
    void aTextTooSmallForTheVocabularyGivesFewerTokens() {
        BpeTrainer trainer = new BpeTrainer(1000, List.of("<|endoftext|>"));
        trainer.add("abc");

        assertThat(trainer.train().tokens()).hasSize(1 + 256 + 2).endsWith("ab", "abc");
    }

    @Test
    void theSameTextGivesTheSameFiles(@TempDir Path directory) throws IOException {
        for (String name : List.of("first", "second")) {
            Fixtures.vocabulary().write(directory.resolve(name), "<|endoftext|>", Fixtures.CHATML, 1024);
        }

        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            assertThat(directory.resolve("second").resolve(file))
                    .hasSameBinaryContentAs(directory.resolve("first").resolve(file));
        }
        assertThat(Files.readString(directory.resolve("first/tokenizer.json"))).doesNotContain("\r");
    }

    @Test
    void aVocabularyThatCannotHoldAllBytesIsRefused() {
        assertThatThrownBy(() -> new BpeTrainer(256, List.of("<|endoftext|>")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 special tokens and 256 bytes, but was 256");
    }
}
