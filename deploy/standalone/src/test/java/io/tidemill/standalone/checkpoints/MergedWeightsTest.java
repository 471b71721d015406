package io.tidemill.standalone.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.ModelShape;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.WeightType;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergedWeightsTest {
    @TempDir
    Path directory;

    /** The trainer computes in bfloat16 and publishes float32; the client does neither. */
    @Test
    void whatTheTrainerMergedIsMadeAgainByteForByte() throws Exception {
        try (LanguageModel champion = LanguageModel.random(ModelShape.TINY.config(), 1, ComputeType.BFLOAT16);
                TrainableAdapter learner =
                        TrainableAdapter.from(champion, LoraConfig.of(2, 16), 1, AdamWSettings.defaults())) {
            PackedBatch batch = new PackedBatch(
                    new int[][] {{1, 2, 3, 4}}, new int[][] {{2, 3, 4, PackedBatch.IGNORED}}, new int[][] {{1, 1, 1, 1}
                    });
            for (int step = 0; step < 3; step++) {
                learner.accumulate(batch, batch.lossTokens());
                learner.update(0.01);
            }
            try (LoraAdapter adapter = learner.snapshot();
                    LanguageModel version = adapter.mergedInto(champion)) {
                champion.save(directory.resolve("parent"), WeightType.FLOAT32);
                version.save(directory.resolve("version"), WeightType.FLOAT32);
                adapter.save(directory.resolve("adapter"), champion);
            }
        }
        MergedWeights.merge(directory.resolve("parent"), directory.resolve("adapter"), directory.resolve("merged"));
        assertThat(directory.resolve("merged/model.safetensors"))
                .hasSameBinaryContentAs(directory.resolve("version/model.safetensors"));
        assertThat(Files.mismatch(
                        directory.resolve("parent/model.safetensors"), directory.resolve("version/model.safetensors")))
                .isNotNegative();
    }
}
