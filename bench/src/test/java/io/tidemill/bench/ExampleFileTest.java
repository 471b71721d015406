package io.tidemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.engine.PackedBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExampleFileTest {
    private static final int NONE = PackedBatch.IGNORED;

    @TempDir
    Path directory;

    @Test
    void withoutPackingEachExampleHasARowThatIsPaddedToTheLongest() throws IOException {
        PackedBatch batch = read("5 6 7,8 9", 0);
        assertThat(batch.ids()).isDeepEqualTo(new int[][] {{5, 6, 7}, {8, 9, 0}});
        assertThat(batch.targets()).isDeepEqualTo(new int[][] {{6, 7, NONE}, {9, NONE, NONE}});
        assertThat(batch.segments()).isDeepEqualTo(new int[][] {{1, 1, 1}, {1, 1, 0}});
        assertThat(ExampleFile.tokens(batch)).isEqualTo(5);
    }

    @Test
    void packedExamplesShareRowsAndNeverATarget() throws IOException {
        PackedBatch batch = read("1 2,3 4 5 6,7 8 9", 6);
        assertThat(batch.ids()).isDeepEqualTo(new int[][] {{3, 4, 5, 6, 1, 2}, {7, 8, 9, 0, 0, 0}});
        assertThat(batch.targets())
                .isDeepEqualTo(new int[][] {{4, 5, 6, NONE, 2, NONE}, {8, 9, NONE, NONE, NONE, NONE}});
        assertThat(batch.segments()).isDeepEqualTo(new int[][] {{1, 1, 1, 1, 2, 2}, {1, 1, 1, 0, 0, 0}});
        assertThat(ExampleFile.tokens(batch)).isEqualTo(9);
    }

    @Test
    void everyLineIsABatch() throws IOException {
        Path file = Files.write(directory.resolve("batches"), List.of("1 2", "3 4,5 6"));
        assertThat(ExampleFile.read(file, 0)).extracting(PackedBatch::rows).containsExactly(1, 2);
    }

    private PackedBatch read(String line, int packed) throws IOException {
        return ExampleFile.read(Files.writeString(directory.resolve("batches"), line), packed)
                .get(0);
    }
}
