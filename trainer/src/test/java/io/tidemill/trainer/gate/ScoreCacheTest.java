package io.tidemill.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreCacheTest {
    private static final LossSuite SUITE = new LossSuite(
            "held-out-loss",
            List.of(new Window("one#0", new int[] {1, 2, 3}, new boolean[] {false, true, true}, 8)),
            0.02,
            1);

    @TempDir
    Path directory;

    private int asked;

    private double[] score() throws IOException {
        return new ScoreCache(directory)
                .score(
                        "tiny-000001",
                        SUITE,
                        () -> sequences -> {
                            asked++;
                            return List.of(new float[] {-1, -2});
                        },
                        () -> {})
                .values();
    }

    @Test
    void anExampleIsScoredOnceUntilItsScoreIsDamaged() throws IOException {
        assertThat(score()).containsExactly(3);
        assertThat(score()).containsExactly(3);
        assertThat(asked).isEqualTo(1);

        Path file = directory.resolve("tiny-000001.tsv");
        for (byte[] damaged : List.of(
                new byte[(int) Files.size(file)],
                Files.readString(file).replace("3.0", "2.0").getBytes(java.nio.charset.StandardCharsets.UTF_8),
                new byte[0])) {
            asked = 0;
            Files.write(file, damaged);
            assertThat(score()).containsExactly(3);
            assertThat(asked).isEqualTo(1);
        }
    }
}
