package io.tidemill.model.base;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerRecipeTest {
    @TempDir
    Path directory;

    @Test
    void makingItAgainGivesTheSameBytes() throws IOException {
        for (String name : List.of("first", "second")) {
            TokenizerRecipe.make(
                    DemoNovel.documents().limit(40).map(CorpusDocument::text), 700, directory.resolve(name));
        }

        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            assertThat(directory.resolve("second").resolve(file))
                    .hasSameBinaryContentAs(directory.resolve("first").resolve(file));
        }
    }

    @Test
    void theTokenizerInTheJarIsWhatTheRecipeSays() throws IOException {
        BaseModel.extractRecipeTo(directory.resolve("base"));
        try (Tokenizer tokenizer = Tokenizer.load(directory.resolve("base"))) {
            assertThat(tokenizer.vocabularySize()).isEqualTo(TokenizerRecipe.VOCABULARY_SIZE);
            assertThat(tokenizer.id(TokenizerRecipe.END_OF_TEXT)).hasValue(0);
            assertThat(tokenizer.id(TokenizerRecipe.TURN_START)).hasValue(1);
            assertThat(tokenizer.id(TokenizerRecipe.TURN_END)).hasValue(2);
            assertThat(tokenizer.endOfText()).isZero();

            ChatTemplate template = ChatTemplate.load(directory.resolve("base"));
            assertThat(template.source()).isEqualTo(TokenizerRecipe.CHAT_TEMPLATE);
            ChatEncoder chat = new ChatEncoder(tokenizer, template);
            assertThat(chat.prompt(List.of(ChatMessage.user("Hi")))).startsWith(1);
            assertThat(chat.answer("Yes.")).endsWith(2);
        }
    }

    @Test
    void aTokenOfUnseenEnglishIsMoreThanThreeAndAHalfBytes() throws IOException {
        BaseModel.extractRecipeTo(directory.resolve("base"));
        try (Tokenizer tokenizer = Tokenizer.load(directory.resolve("base"))) {
            long bytes = 0;
            long tokens = 0;
            for (CorpusDocument passage : DemoNovel.documents().toList()) {
                int[] ids = tokenizer.encode(passage.text());
                assertThat(tokenizer.decode(ids)).isEqualTo(passage.text());
                bytes += passage.text().length(); // plain ASCII
                tokens += ids.length;
            }
            assertThat((double) bytes / tokens).isGreaterThan(3.5);
        }
    }
}
