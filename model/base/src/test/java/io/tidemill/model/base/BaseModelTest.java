package io.tidemill.model.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaseModelTest {
    @TempDir
    Path directory;

    @Test
    void shapeAndTokenizerAreExtractedAndNothingElseIsLeft() throws IOException {
        Path model = directory.resolve("deep").resolve("model");

        BaseModel.extractRecipeTo(model);

        assertThat(names(model)).containsExactlyInAnyOrderElementsOf(BaseModel.RECIPE_FILES);
        assertThat(names(model.getParent())).containsExactly("model");
        JsonNode config =
                new ObjectMapper().readTree(model.resolve("config.json").toFile());
        assertThat(config.get("vocab_size").asInt()).isEqualTo(TokenizerRecipe.VOCABULARY_SIZE);
        assertThat(config.get("max_position_embeddings").asInt()).isEqualTo(TokenizerRecipe.MAX_LENGTH);
        assertThat(config.get("model_type").asText()).isEqualTo("llama");
    }

    @Test
    void theWholeModelAppearsOrNothingDoes() throws IOException {
        Path model = directory.resolve("model");

        if (BaseModel.isTrained()) {
            BaseModel.extractTo(model);
            assertThat(names(model)).containsAll(BaseModel.RECIPE_FILES).containsAll(BaseModel.LEARNT_FILES);
            assertThat(Files.size(model.resolve("model.safetensors"))).isBetween(10_000_000L, 20_000_000L);
        } else {
            assertThatThrownBy(() -> BaseModel.extractTo(model))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("lacks model.safetensors; pretrain it");
            assertThat(names(directory)).isEmpty();
        }
    }

    @Test
    void oneFileIsPutBackOverAnother() throws IOException {
        Files.writeString(directory.resolve("generation_config.json"), "{}");

        BaseModel.restore("generation_config.json", directory);

        JsonNode generation = new ObjectMapper()
                .readTree(directory.resolve("generation_config.json").toFile());
        assertThat(generation.get("eos_token_id"))
                .as("end of text, end of turn")
                .hasSize(2);
    }

    @Test
    void whatIsThereAlreadyIsLeftAlone() throws IOException {
        Path mine = Files.writeString(
                Files.createDirectory(directory.resolve("model")).resolve("mine"), "kept");

        assertThatThrownBy(() -> BaseModel.extractRecipeTo(mine.getParent()))
                .isInstanceOf(FileAlreadyExistsException.class)
                .hasMessageContaining("name a new directory");
        assertThat(names(mine.getParent())).containsExactly("mine");
        assertThat(names(directory)).containsExactly("model");
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.map(path -> path.getFileName().toString()).toList();
        }
    }
}
