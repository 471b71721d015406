package io.tidemill.trainer.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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
    void aTokenizedTextIsMaskedByWordsAndALongOneIsCutBetweenThem() throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(DIRECTORY)) {
            int[] ids = tokenizer.encode("the unhappiness stops , the tides");
            int[] ended = Arrays.copyOf(ids, ids.length + 1);
            ended[ids.length] = tokenizer.endOfText();
            assertThat(Arrays.stream(ids).mapToObj(tokenizer::token))
                    .containsExactly("the", "un", "##happi", "##ness", "stop", "##s", ",", "the", "tide", "##s");

            List<MaskableText> whole = new EncoderText(tokenizer, 20).maskable("a", ended);
            assertThat(whole).singleElement().satisfies(text -> {
                assertThat(text.exampleId()).isEqualTo("a/0");
                assertThat(text.input().ids())
                        .isEqualTo(new EncoderText(tokenizer, 20)
                                .input("the unhappiness stops , the tides")
                                .ids());
                assertThat(text.words()).containsExactly(-1, 0, 1, 1, 1, 2, 2, 3, 4, 5, 5, -1);
            });

            List<MaskableText> parts = new EncoderText(tokenizer, 7).maskable("a", ended);
            assertThat(parts).extracting(MaskableText::exampleId).containsExactly("a/0", "a/1", "a/2");
            // five fit, but the fifth would be the first half of "stops"
            assertThat(parts.get(0).words()).containsExactly(-1, 0, 1, 1, 1, -1);
            assertThat(parts.get(1).words()).containsExactly(-1, 0, 0, 1, 2, -1);
            assertThat(parts.get(2).words()).containsExactly(-1, 0, 0, -1);

            // a word longer than the room is cut where it must be, and nothing of it is lost
            assertThat(new EncoderText(tokenizer, 4)
                            .maskable("a", ids).stream()
                                    .flatMapToInt(part -> Arrays.stream(
                                            part.input().ids(), 1, part.input().ids().length - 1)))
                    .containsExactly(Arrays.stream(ids).boxed().toArray(Integer[]::new));
            assertThat(new EncoderText(tokenizer, 7).maskable("a", new int[] {tokenizer.endOfText()}))
                    .isEmpty();
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
