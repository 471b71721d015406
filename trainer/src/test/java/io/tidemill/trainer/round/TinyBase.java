package io.tidemill.trainer.round;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/** A model small enough to train in a second, with the tokenizer and chat template of the embedded base. */
public final class TinyBase {
    private TinyBase() {}

    /** Writes it to a directory that does not exist yet. */
    public static Path write(Path directory) {
        try {
            BaseModel.extractRecipeTo(directory);
            try (Tokenizer tokenizer = Tokenizer.load(directory)) {
                int end = tokenizer.endOfText();
                ModelConfig config = new ModelConfig(
                        tokenizer.vocabularySize(),
                        32,
                        64,
                        2,
                        4,
                        2,
                        8,
                        256,
                        10_000,
                        1e-5,
                        true,
                        0.02,
                        end,
                        List.of(end));
                try (LanguageModel model = LanguageModel.random(config, 7, ComputeType.FLOAT32)) {
                    model.save(directory, WeightType.FLOAT32);
                }
            }
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
