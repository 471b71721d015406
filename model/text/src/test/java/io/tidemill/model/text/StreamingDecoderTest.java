package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StreamingDecoderTest {
    @TempDir
    Path directory;

    @Test
    void neverHalfACharacterAndAllOfThemInTheEnd() throws IOException {
        String text = "na\u00EFve \uD83D\uDE00 \u4F60\u597D \uD83D\uDC69\u200D\uD83D\uDC67 done";
        try (Tokenizer tokenizer = Fixtures.tokenizer(directory)) {
            StreamingDecoder decoder = new StreamingDecoder(tokenizer);
            StringBuilder all = new StringBuilder();
            int silent = 0;
            for (int id : tokenizer.encode(text)) {
                String part = decoder.append(id);
                assertThat(part).doesNotContain("\uFFFD");
                assertThat(part.isEmpty() || !Character.isHighSurrogate(part.charAt(part.length() - 1)))
                        .isTrue();
                silent += part.isEmpty() ? 1 : 0;
                all.append(part);
            }
            all.append(decoder.finish());

            assertThat(silent).isPositive(); // some characters took several tokens, so this test has seen halves
            assertThat(all).hasToString(text);
        }
    }

    @Test
    void anyTokensGiveTheTextThatDecodingThemAtOnceGives() throws IOException {
        try (Tokenizer tokenizer = Fixtures.tokenizer(directory)) {
            for (int seed = 0; seed < 500; seed++) {
                int[] ids = new Random(seed).ints(30, 0, 600).toArray();
                StreamingDecoder decoder = new StreamingDecoder(tokenizer);
                StringBuilder all = new StringBuilder();
                for (int id : ids) {
                    all.append(decoder.append(id));
                }
                all.append(decoder.finish());

                assertThat(all).as("seed " + seed).hasToString(tokenizer.decode(ids));
            }
        }
    }

    @Test
    void vocabulariesOfPiecesAreDecodedTheSameWay() throws IOException {
        // A tiny vocabulary in the manner of SentencePiece: "▁" opens a word, unknown characters fall back to bytes.
        Files.writeString(
                directory.resolve("tokenizer.json"),
                """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens":
                  [{"id": 0, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true}],
                 "normalizer": null, "pre_tokenizer": {"type": "Metaspace", "replacement": "▁",
                   "prepend_scheme": "first", "split": false}, "post_processor": null,
                 "decoder": {"type": "Sequence", "decoders": [
                   {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                   {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
                 "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                   "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": true, "ignore_merges": false,
                   "vocab": {"</s>": 0, "▁": 1, "a": 2, "b": 3, "▁a": 4, "<0xC3>": 5, "<0xA9>": 6, "!": 7},
                   "merges": [["▁", "a"]]}}
                """);
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            String text = "a ab\u00E9b a!";
            assertThat(tokenizer.isByteLevel()).isFalse();
            StreamingDecoder decoder = new StreamingDecoder(tokenizer);
            StringBuilder all = new StringBuilder();
            for (int id : tokenizer.encode(text)) {
                all.append(decoder.append(id));
            }
            assertThat(all.append(decoder.finish())).hasToString(text);
        }
    }
}
