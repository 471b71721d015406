package io.tidemill.trainer.offline;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An encoder small enough to train in a second, with a vocabulary of few words and letters. */
public final class TinyEncoder {
    private static final Path TOKENIZER = Path.of("src/test/resources/encoder-text");

    private TinyEncoder() {}

    public static Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(TOKENIZER.resolve(file), directory.resolve(file));
        }
        EncoderConfig config =
                new EncoderConfig(53, 32, 64, 2, 4, 64, 2, 1e-12, 0.1, 0, EncoderConfig.Head.MASKED, List.of());
        try (EncoderModel model = EncoderModel.random(config, 3, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
        }
        return directory;
    }
}
