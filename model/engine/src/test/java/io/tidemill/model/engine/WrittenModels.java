package io.tidemill.model.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Writes one model of each family, trained for a step, with {@code probe.json} beside it, for
 * {@code bench/peers/check_checkpoint.py}. Not a test: the argument is the directory to write to.
 */
final class WrittenModels {
    private static final ObjectMapper JSON = new ObjectMapper();

    private WrittenModels() {}

    public static void main(String[] arguments) throws IOException {
        for (String name : AgainstTransformersTest.models().toList()) {
            try (LanguageModel start = LanguageModel.load(Fixtures.directory(name), ComputeType.FLOAT32);
                    TrainableModel trainable = TrainableModel.from(start, AdamWSettings.defaults())) {
                PackedBatch batch = Fixtures.batch(Fixtures.expected(name));
                trainable.accumulate(batch, batch.lossTokens());
                trainable.update(1e-2);
                try (LanguageModel model = trainable.snapshot(ComputeType.FLOAT32)) {
                    write(model, Path.of(arguments[0], name));
                }
            }
        }
    }

    private static void write(LanguageModel model, Path directory) throws IOException {
        model.save(directory, WeightType.FLOAT32);
        int[] ids = {5, 17, 40, 8, 8, 33, 21, 54, 3, 9, 12, 13};
        float[] last = model.logits(ids)[ids.length - 1];
        ObjectNode probe = JSON.createObjectNode();
        probe.set("ids", JSON.valueToTree(ids));
        probe.set("logits", JSON.valueToTree(last));
        JSON.writeValue(directory.resolve("probe.json").toFile(), probe);
    }
}
