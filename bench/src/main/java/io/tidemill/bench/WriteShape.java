package io.tidemill.bench;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.WeightType;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * A model of a shape with random weights, as a Hugging Face directory that peers load: {@code NAME DIRECTORY [float32|bfloat16]
 * [SEED]}. Beside it {@code probe.json}, our logits behind a few tokens, which {@code bench/peers/check_checkpoint.py}
 * compares with transformers'. Without a tokenizer.
 */
final class WriteShape {
    private static final int[] PROBE = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89};

    private WriteShape() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 2 || arguments.length > 4) {
            System.err.println("Usage: bench/run WriteShape NAME DIRECTORY [float32|bfloat16] [SEED]");
            System.exit(2);
        }
        Path directory = Path.of(arguments[1]);
        WeightType type =
                WeightType.valueOf((arguments.length > 2 ? arguments[2] : "float32").toUpperCase(Locale.ROOT));
        long seed = arguments.length > 3 ? Long.parseLong(arguments[3]) : 1;
        if (Files.exists(directory)) {
            throw new FileAlreadyExistsException(directory + " is there already; name a new directory");
        }
        try (LanguageModel model = LanguageModel.random(Shapes.named(arguments[0]), seed, ComputeType.FLOAT32)) {
            model.save(directory, type);
        }
        try (LanguageModel written = LanguageModel.load(directory, ComputeType.FLOAT32)) { // as rounded by the type
            Files.writeString(directory.resolve("probe.json"), probe(written.logits(PROBE)));
            System.out.printf(
                    Locale.ROOT,
                    "{\"directory\": \"%s\", \"weights\": %d, \"digest\": \"%s\"}%n",
                    directory,
                    written.config().parameterCount(),
                    written.digest());
        }
    }

    private static String probe(float[][] logits) {
        return "{\"ids\": " + Arrays.toString(PROBE) + ", \"logits\": " + Arrays.toString(logits[PROBE.length - 1])
                + "}\n";
    }
}
