package io.tidemill.trainer.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Against transformers: {@code bench/peers/make_encoder_text_fixtures.py}. */
class EncoderTextTest {
    static final Path DIRECTORY = Path.of("src/test/resources/encoder-text");

    private static int[] numbers(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    @Test
    void textsAndTheirWordsAreThoseOfTransformers() throws IOException {
        JsonNode expected =
                new ObjectMapper().readTree(DIRECTORY.resolve("expected.json").toFile());
        try (Tokenizer tokenizer = Tokenizer.load(DIRECTORY)) {
            EncoderText texts =
                    new EncoderText(tokenizer, expected.get("length").asInt());
            for (JsonNode one : expected.get("texts")) {
                String text = one.get("text").asText();
                assertThat(texts.input(text).ids()).as(text).isEqualTo(numbers(one.get("ids")));
                MaskableText maskable = texts.maskable("id", text);
                assertThat(maskable.input().ids()).as(text).isEqualTo(numbers(one.get("ids")));
                assertThat(maskable.words()).as(text).isEqualTo(numbers(one.get("words")));
            }
        }
    }

    @Test
    void pairsAreCutAsByTransformers() throws IOException {
        JsonNode expected =
                new ObjectMapper().readTree(DIRECTORY.resolve("expected.json").toFile());
        try (Tokenizer tokenizer = Tokenizer.load(DIRECTORY)) {
            EncoderText texts =
                    new EncoderText(tokenizer, expected.get("length").asInt());
            for (JsonNode one : expected.get("pairs")) {
                EncoderInput input =
                        texts.input(one.get("a").asText(), one.get("b").asText());
                assertThat(input.ids()).as(one.toString()).isEqualTo(numbers(one.get("ids")));
                assertThat(input.types()).as(one.toString()).isEqualTo(numbers(one.get("types")));
            }
        }
    }

    @Test
    void aLengthWithoutRoomIsRefused() throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(DIRECTORY)) {
            assertThatThrownBy(() -> new EncoderText(tokenizer, 2)).hasMessageContaining("2");
            assertThat(new EncoderText(tokenizer, 12).length("the tide")).isEqualTo(4);
        }
    }
}
