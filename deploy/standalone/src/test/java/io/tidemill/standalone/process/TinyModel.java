package io.tidemill.standalone.process;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The embedded model's tokenizer under one small layer of random weights. */
final class TinyModel {
    private TinyModel() {}

    static Path writeTo(Path directory) throws IOException {
        Path recipe = directory.resolveSibling(directory.getFileName() + "-recipe");
        BaseModel.extractRecipeTo(recipe);
        ModelConfig full = ModelConfig.read(recipe.resolve("config.json"));
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
        for (String file : new String[] {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
            Files.copy(recipe.resolve(file), directory.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        return directory;
    }
}
