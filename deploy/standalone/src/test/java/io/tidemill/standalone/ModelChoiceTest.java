package io.tidemill.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelChoiceTest {
    @TempDir
    Path parent;

    @Test
    void withoutADirectoryTheEmbeddedModelIsGround() {
        ModelChoice choice = ModelChoice.of(Optional.empty(), Optional.empty());
        assertThat(choice.name()).isEqualTo("tidemill");
        assertThat(choice.directory()).isEmpty();
    }

    @Test
    void aLineageIsNamedAfterItsDirectory() throws IOException {
        Path directory = model("Smol LM_2 (135M)", "config.json", "tokenizer.json", "model.safetensors");
        ModelChoice choice = ModelChoice.of(Optional.of(directory), Optional.empty());
        assertThat(choice.name()).isEqualTo("smol-lm-2-135m");
        assertThat(choice.directory()).contains(directory);
    }

    @Test
    void aNameThatIsGivenWins() throws IOException {
        Path directory = model("any", "config.json", "tokenizer.json", "model-00001-of-00002.safetensors");
        assertThat(ModelChoice.of(Optional.of(directory), Optional.of("mine")).name())
                .isEqualTo("mine");
    }

    @Test
    void aNameThatCannotNameAVersionIsRefused() {
        assertThatThrownBy(() -> ModelChoice.of(Optional.empty(), Optional.of("a/b")))
                .isInstanceOf(CannotStartException.class)
                .hasMessageStartingWith("--model-name 'a/b' cannot name a version: ");
    }

    @Test
    void whatIsMissingFromADirectoryIsNamed() throws IOException {
        Path none = parent.resolve("none");
        assertThatThrownBy(() -> ModelChoice.of(Optional.of(none), Optional.empty()))
                .hasMessage("--model " + none + " is not a directory.");
        Path untokenized = model("untokenized", "config.json", "model.safetensors");
        assertThatThrownBy(() -> ModelChoice.of(Optional.of(untokenized), Optional.empty()))
                .hasMessageStartingWith("--model " + untokenized + " holds no tokenizer.json;");
        Path pickled = model("pickled", "config.json", "tokenizer.json", "pytorch_model.bin");
        assertThatThrownBy(() -> ModelChoice.of(Optional.of(pickled), Optional.empty()))
                .hasMessage("--model " + pickled + " holds no *.safetensors; other formats of weights are not read.");
    }

    private Path model(String name, String... files) throws IOException {
        Path directory = Files.createDirectory(parent.resolve(name));
        for (String file : files) {
            Files.createFile(directory.resolve(file));
        }
        return directory;
    }
}
