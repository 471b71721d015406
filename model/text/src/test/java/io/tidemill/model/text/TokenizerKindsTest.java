package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers in the manner of Llama 2, T5 and BERT, and one that would cut; {@code make_tokenizer_kind_fixtures.py}. */
@SuppressWarnings("unchecked")
class TokenizerKindsTest {
    private static final Map<String, Map<String, Object>> KINDS = (Map<String, Map<String, Object>>)
            Fixtures.values("tokenizer-kinds.json.gz").get("kinds");

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "unigram", "wordpiece", "truncating"})
    void textAndIdsAreThoseOfHuggingFacesLibraryAndNothingIsCutOrPadded(String kind) throws IOException {
        try (Tokenizer tokenizer = open(kind)) {
            for (Map<String, Object> each : cases(kind, "cases")) {
                String text = (String) each.get("text");
                assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids(each));
                assertThat(tokenizer.encodeTemplate(text)).as(text).isEqualTo(ids(each));
                assertThat(tokenizer.decode(ids(each))).as(text).isEqualTo(each.get("decoded"));
            }
            for (Map<String, Object> each : cases(kind, "decoded")) {
                assertThat(tokenizer.decode(ids(each))).isEqualTo(each.get("decoded"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "unigram", "truncating"})
    void tokenByTokenGivesTheWholeTextAndNeverHalfACharacter(String kind) throws IOException {
        try (Tokenizer tokenizer = open(kind)) {
            for (String list : List.of("cases", "decoded")) {
                for (Map<String, Object> each : cases(kind, list)) {
                    StreamingDecoder decoder = new StreamingDecoder(tokenizer);
                    StringBuilder all = new StringBuilder();
                    for (int id : ids(each)) {
                        String part = decoder.append(id);
                        if (list.equals("cases")) {
                            assertThat(part).doesNotContain("\uFFFD");
                        }
                        assertThat(part.isEmpty() || !Character.isHighSurrogate(part.charAt(part.length() - 1)))
                                .isTrue();
                        all.append(part);
                    }
                    assertThat(all.append(decoder.finish()).toString())
                            .as(each.toString())
                            .isEqualTo(each.get("decoded"));
                }
            }
        }
    }

    @Test
    void aDecoderThatRewritesWhatItHasWrittenIsNotStreamed() throws IOException {
        try (Tokenizer tokenizer = open("wordpiece")) {
            assertThatThrownBy(() -> new StreamingDecoder(tokenizer))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("decode whole sequences");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "wordpiece"})
    void namesOfControlTokensAreTextInEveryKind(String kind) throws IOException {
        try (Tokenizer tokenizer = open(kind)) {
            for (String control : tokenizer.controls()) {
                int id = tokenizer.id(control).orElseThrow();
                assertThat(tokenizer.encodeTemplate("a " + control)).contains(id);
                assertThat(tokenizer.encode("a " + control)).as(control).doesNotContain(id);
            }
        }
    }

    @Test
    void unigramsThatSpellAControlTokenAsOnePieceAreRefusedAndUnknownCharactersAreNot() throws IOException {
        try (Tokenizer tokenizer = open("unigram")) {
            int unknown = tokenizer.id("<unk>").orElseThrow();
            assertThat(tokenizer.encode("\u2603")).contains(unknown);
            // The model itself has a piece "</s>", which its search may choose: an error, never a silent end of text.
            for (String typed : List.of("</s>", "x</s>", "<extra_id_0>")) {
                try {
                    for (int id : tokenizer.encode(typed)) {
                        assertThat(tokenizer.controls()).doesNotContain(tokenizer.token(id));
                    }
                } catch (IllegalArgumentException e) {
                    assertThat(e).hasMessageContaining("spells the control token '</s>'");
                }
            }
            assertThat(tokenizer.encode("ordinary"))
                    .contains(tokenizer.id("ordinary").orElseThrow());
            assertThat(tokenizer.decode(tokenizer.encode("<extra_id_0> ordinary")))
                    .contains("ordinary");
        }
    }

    private Tokenizer open(String kind) throws IOException {
        Files.writeString(
                directory.resolve("tokenizer.json"),
                new ObjectMapper().writeValueAsString(KINDS.get(kind).get("tokenizer")));
        Files.writeString(directory.resolve("tokenizer_config.json"), "{}");
        return Tokenizer.load(directory);
    }

    private static List<Map<String, Object>> cases(String kind, String list) {
        return (List<Map<String, Object>>) KINDS.get(kind).get(list);
    }

    private static int[] ids(Map<String, Object> each) {
        return ((List<Long>) each.get("ids")).stream().mapToInt(Long::intValue).toArray();
    }
}
