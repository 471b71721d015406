package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class NativeMemoryTest {
    /** The heap is of fixed size and touched at start (pom.xml), so what grows is native. 3 MB of weights: one leaked copy per round would show as 150 MB. */
    private static final ModelConfig SMALL =
            new ModelConfig(2048, 128, 256, 4, 4, 2, 32, 64, 10_000, 1e-5, true, 0.02, 0, List.of());

    @Test
    @EnabledOnOs(OS.LINUX)
    void whatCanBeDoneOverAndOverKeepsMemoryFlat() throws IOException {
        Threads.intraOp(1);
        round(15);
        long before = residentBytes();
        round(45);
        assertThat((residentBytes() - before) / 1e6)
                .as("megabytes more after 45 rounds of everything")
                .isLessThan(80);
    }

    private static void round(int times) {
        PackedBatch batch = Fixtures.randomBatch(SMALL, 1, 2, 48);
        PreferencePair pair = new PreferencePair(new int[] {5, 6}, new int[] {7, 8}, new int[] {9, 10}, 0, 0, 1);
        for (int i = 0; i < times; i++) {
            try (LanguageModel model = LanguageModel.random(SMALL, 1, ComputeType.best());
                    TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
                trainable.accumulate(batch, batch.lossTokens());
                trainable.accumulate(List.of(pair), 0.1, 1, 0);
                trainable.clip(1);
                trainable.update(1e-3);
                trainable.discardGradients();
                try (LanguageModel snapshot = trainable.snapshot(ComputeType.best())) {
                    snapshot.logProbabilities(List.of(batch.ids()[0], batch.ids()[1]));
                    snapshot.logits(batch.ids()[0]);
                    new Generator(snapshot)
                            .generate(new int[] {1, 2, 3}, Sampling.greedy(8, Set.of()), (token, p) -> true);
                }
            }
        }
    }

    private static long residentBytes() throws IOException {
        System.gc(); // gives back direct buffers that nobody uses
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("/proc/self/status has no VmRSS");
    }
}
