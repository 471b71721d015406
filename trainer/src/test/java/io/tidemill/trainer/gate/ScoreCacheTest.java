package io.tidemill.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.trainer.stage.TokenizedPair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.DoubleStream;
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

    @Test
    void accuracyAndGapOfPairsAreAskedOfAModelOnce() throws IOException {
        // a token each: the first pair is right by 1 nat, the second wrong by 2, the third a tie
        Scoring model = sequences -> {
            asked++;
            return DoubleStream.of(-1, -2, -3, -1, -1, -1)
                    .mapToObj(logProbability -> new float[] {(float) logProbability})
                    .toList();
        };
        List<TokenizedPair> pairs = List.of(pair(1), pair(2), pair(3));
        PreferenceSuite accuracy = new PreferenceSuite("preference-accuracy", pairs, 0.03, 1);
        PreferenceGapSuite gap = new PreferenceGapSuite(accuracy, 0.05);
        ScoreCache cache = new ScoreCache(directory);
        assertThat(cache.score("tiny-000001", accuracy, () -> model, () -> {}).values())
                .containsExactly(1, 0, 0.5);
        assertThat(cache.score("tiny-000001", gap, () -> model, () -> {}).values())
                .containsExactly(1, -2, 0);
        assertThat(asked).isEqualTo(1);
    }

    private static TokenizedPair pair(int prompt) {
        return new TokenizedPair("pair-" + prompt, new int[] {prompt}, new int[] {7}, new int[] {8}, 1, 0);
    }
}
