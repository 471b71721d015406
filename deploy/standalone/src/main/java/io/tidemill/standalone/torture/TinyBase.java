package io.tidemill.standalone.torture;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.WeightType;
import io.tidemill.trainer.checkpoint.Durable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The embedded model's tokenizer and chat template over one small layer of random weights: a round takes seconds. */
final class TinyBase {
    private TinyBase() {}

    /** Writes it, unless it is there. */
    static Path in(Path directory) throws IOException {
        if (Files.exists(directory.resolve("model.safetensors"))) {
            return directory;
        }
        Durable.deleteTree(directory); // of a harness that was killed while it wrote
        BaseModel.extractRecipeTo(directory);
        ModelConfig full = ModelConfig.read(directory.resolve("config.json"));
        ModelConfig tiny = new ModelConfig(
                full.vocabularySize(),
                16, // hidden
                32, // feed-forward
                1, // layers
                2, // heads
                1, // key-value heads
                8, // of a head
                256, // positions
                full.ropeTheta(),
                full.rmsNormEpsilon(),
                full.tiedEmbeddings(),
                full.initializerRange(),
                full.bosTokenId(),
                full.eosTokenIds());
        try (LanguageModel model = LanguageModel.random(tiny, 1, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
        }
        return directory;
    }
}
