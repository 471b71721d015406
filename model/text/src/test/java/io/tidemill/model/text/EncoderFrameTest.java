package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncoderFrameTest {
    private static final String BERT =
            """
            {"version": "1.0",
             "added_tokens": [{"id": 0, "content": "[CLS]", "special": true, "single_word": false, "lstrip": false,
               "rstrip": false, "normalized": false}, {"id": 1, "content": "[SEP]", "special": true,
               "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "model": {"type": "WordPiece", "unk_token": "tide", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 100, "vocab": {"[CLS]": 0, "[SEP]": 1, "tide": 2, "mill": 3}}}
            """;

    @TempDir
    Path directory;

    private Tokenizer tokenizer;

    @BeforeEach
    void open() throws IOException {
        Files.writeString(directory.resolve("tokenizer.json"), BERT);
        tokenizer = Tokenizer.load(directory);
    }

    @AfterEach
    void close() {
        tokenizer.close();
    }

    @Test
    void aTextStandsBetweenItsTwoTokensAndIsCutAtItsEnd() {
        EncoderFrame frame = new EncoderFrame(tokenizer, 5);
        assertThat(frame.around(new int[] {2, 3})).containsExactly(0, 2, 3, 1);
        assertThat(frame.around(new int[] {2, 3, 3})).containsExactly(0, 2, 3, 3, 1);
        assertThat(frame.around(new int[] {2, 3, 3, 2})).containsExactly(0, 2, 3, 3, 1);
        assertThat(frame.cuts(3)).isFalse();
        assertThat(frame.cuts(4)).isTrue();
    }

    @Test
    void noRoomForATextIsRefused() {
        assertThatThrownBy(() -> new EncoderFrame(tokenizer, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 tokens at least, but the longest was to be 2");
    }

    @Test
    void aVocabularyWithoutBertsTokensIsRefusedByTheMissingOne(@TempDir Path other) throws IOException {
        try (Tokenizer bytes = Fixtures.tokenizer(other)) {
            assertThatThrownBy(() -> new EncoderFrame(bytes, 8))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[CLS]");
        }
    }

    @Test
    void textThatIsDecodedAsTheModelReadItKeepsItsSpecialTokens() {
        assertThat(tokenizer.decode(new int[] {0, 2, 3, 1})).isEqualTo("tide mill");
        assertThat(tokenizer.decodeWithControls(new int[] {0, 2, 3, 1})).isEqualTo("[CLS] tide mill [SEP]");
    }
}
