package io.tidemill.model.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes one decoder of each family, trained for a step, adapters, and encoders, with {@code probe.json} beside it, for
 * {@code bench/peers/check_checkpoint.py}. Not a test: the argument is the directory to write to.
 */
final class WrittenModels {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final int[] IDS = {5, 17, 40, 8, 8, 33, 21, 54, 3, 9, 12, 13};

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
        for (String name : AgainstPeftTest.adapters().toList()) {
            Path base = Path.of(
                    arguments[0], Fixtures.expected("lora/" + name).get("base").asText());
            try (LanguageModel model = LanguageModel.load(base, ComputeType.FLOAT32);
                    LoraAdapter start = LoraAdapter.load(Fixtures.directory("lora/" + name), model.config())) {
                write(model, start, Path.of(arguments[0], "lora-" + name));
            }
        }
        for (String name : List.of("llama-linear", "gpt2")) {
            LoraConfig all = LoraConfig.of(4, 8).withRankStabilised().withBaseModel(name);
            try (LanguageModel model = LanguageModel.load(Path.of(arguments[0], name), ComputeType.FLOAT32);
                    LoraAdapter start = LoraAdapter.initial(all, model.config(), 1)) {
                write(model, start, Path.of(arguments[0], "lora-new-" + name));
            }
        }
        for (String name : List.of("bert-masked", "bert-labels")) {
            try (EncoderModel model = EncoderModel.load(Fixtures.directory(name), ComputeType.FLOAT32)) {
                write(model, Path.of(arguments[0], name));
            }
        }
        try (EncoderModel body = EncoderModel.load(Fixtures.directory("bert-masked"), ComputeType.FLOAT32);
                EncoderModel model = body.withLabels(List.of("good", "bad", "neither", "both"), 1)) {
            write(model, Path.of(arguments[0], "bert-new-labels"));
        }
    }

    private static void write(LanguageModel model, Path directory) throws IOException {
        model.save(directory, WeightType.FLOAT32);
        probe(directory, model.logits(IDS)[IDS.length - 1]);
    }

    /** Trained for two steps, because after the first A is as it was. */
    private static void write(LanguageModel base, LoraAdapter start, Path directory) throws IOException {
        try (TrainableAdapter trainable = TrainableAdapter.from(base, start, AdamWSettings.defaults())) {
            for (int step = 0; step < 2; step++) {
                PackedBatch batch = Fixtures.randomBatch(base.config(), step, 2, 12);
                trainable.accumulate(batch, batch.lossTokens());
                trainable.update(1e-2);
            }
            try (LoraAdapter adapter = trainable.snapshot()) {
                adapter.save(directory, base);
                probe(directory, adapter.logits(base, IDS)[IDS.length - 1]);
            }
        }
    }

    private static void write(EncoderModel model, Path directory) throws IOException {
        model.save(directory, WeightType.FLOAT32);
        EncoderInput input = EncoderInput.of(IDS);
        boolean masked = model.config().head() == EncoderConfig.Head.MASKED;
        probe(directory, masked ? model.maskedLogits(input, IDS.length - 1)[0] : model.labelLogits(List.of(input))[0]);
    }

    private static void probe(Path directory, float[] logits) throws IOException {
        ObjectNode probe = JSON.createObjectNode();
        probe.set("ids", JSON.valueToTree(IDS));
        probe.set("logits", JSON.valueToTree(logits));
        JSON.writeValue(directory.resolve("probe.json").toFile(), probe);
    }
}
