package io.tidemill.preprocess.tokenize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.text.Tokenizer;
import io.tidemill.preprocess.TinyTokenizer;
import io.tidemill.proto.v1.ChatMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTokenizationTest {
    @TempDir
    Path directory;

    @Test
    void aConversationIsTheTemplatesRenderingWithTheAssistantsTurnLearned() throws Exception {
        TinyTokenizer.write(directory, "the tide turns the mill");
        try (Tokenization tokenization = ModelTokenization.load(directory);
                Tokenizer tokenizer = Tokenizer.load(directory)) {
            Encoded encoded = tokenization.encode(List.of(message("user", "why?"), message("assistant", "tide")));

            assertThat(encoded.ids())
                    .isEqualTo(tokenizer.encodeTemplate("<|start|>user\nwhy?<|end|><|start|>assistant\ntide<|end|>"));
            int[] learned = Arrays.stream(indices(encoded.lossMask()))
                    .map(i -> encoded.ids()[i])
                    .toArray();
            assertThat(learned).isEqualTo(tokenizer.encodeTemplate("tide<|end|>"));
            assertThat(encoded.textBytes()).isEqualTo(8);
        }
    }

    @Test
    void aTemplateThatRefusesTheConversationIsNamed() throws Exception {
        TinyTokenizer.write(directory, "the tide turns the mill");
        Files.writeString(directory.resolve("chat_template.jinja"), "{{ raise_exception('only users may speak') }}");
        try (Tokenization tokenization = ModelTokenization.load(directory)) {
            assertThatThrownBy(
                            () -> tokenization.encode(List.of(message("user", "why?"), message("assistant", "tide"))))
                    .isInstanceOfSatisfying(UnusableTextException.class, refused -> assertThat(refused.code())
                            .isEqualTo("template"))
                    .hasMessageContaining("emplate")
                    .hasMessageContaining("only users may speak");
        }
    }

    @Test
    void aConversationWithoutAnAssistantHasNothingToLearn() throws Exception {
        TinyTokenizer.write(directory, "the tide turns the mill");
        try (Tokenization tokenization = ModelTokenization.load(directory)) {
            assertThatThrownBy(() -> tokenization.encode(List.of(message("user", "why?"))))
                    .isInstanceOf(UnusableTextException.class)
                    .hasMessageContaining("assistant");
        }
    }

    private static int[] indices(byte[] mask) {
        return java.util.stream.IntStream.range(0, mask.length)
                .filter(i -> mask[i] == 1)
                .toArray();
    }

    private static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }
}
