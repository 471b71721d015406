package io.tidemill.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.PromptAnswers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PairFileTest {
    @TempDir
    Path directory;

    @Test
    void everyLineIsAStepAndTheChosenAnswerIsTheFirst() throws IOException {
        List<List<PromptAnswers>> steps = read("1 2 3,4 5,6;7,8,9 10", "11,12,13");
        assertThat(steps).hasSize(2);
        assertThat(steps.get(0)).hasSize(2);
        assertThat(steps.get(0).get(1).prompt()).containsExactly(7);
        assertThat(steps.get(0).get(1).answers().get(0)).containsExactly(8);
        assertThat(steps.get(0).get(1).answers().get(1)).containsExactly(9, 10);
    }

    @Test
    void aPairOfOnePartTooFewIsRefusedWithItsText() {
        assertThatThrownBy(() -> read("1 2,3")).hasMessageContaining("1 2,3");
    }

    private List<List<PromptAnswers>> read(String... lines) throws IOException {
        return PairFile.read(Files.write(directory.resolve("pairs"), List.of(lines)));
    }
}
