package io.tidemill.bench;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * Optimizer steps: forward, loss, backward, clipping to norm 1 and AdamW. One JSON object goes to standard output.
 *
 * <table>
 * <caption>Settings, all optional</caption>
 * <tr><td>--model</td><td>directory of a Hugging Face model, or a name of {@link Shapes}; medium</td></tr>
 * <tr><td>--vocabulary</td><td>of a shape by name, where it is to be another one</td></tr>
 * <tr><td>--type</td><td>bfloat16 or float32</td></tr>
 * <tr><td>--rows, --tokens</td><td>of a batch of random ids; 4 and 512</td></tr>
 * <tr><td>--batches</td><td>{@link ExampleFile} to be used instead, again from its start when it ends</td></tr>
 * <tr><td>--pack</td><td>tokens per row that its examples share; 0, each has its own</td></tr>
 * <tr><td>--warmup, --steps</td><td>steps before measuring, and measured; 2 and 5</td></tr>
 * <tr><td>--lora</td><td>rank of an adapter that learns instead; 0, none</td></tr>
 * <tr><td>--recompute</td><td>true: activations are computed twice instead of kept</td></tr>
 * <tr><td>--rate</td><td>learning rate; 3e-4</td></tr>
 * <tr><td>--threads</td><td>inside an operation; 1</td></tr>
 * <tr><td>--losses</td><td>true: the loss of each step is written too</td></tr>
 * <tr><td>--products</td><td>true: the core's own rate on these products, and the step's share of it</td></tr>
 * </table>
 *
 * <p>Memory: before the first full batch a step on 2 tokens touches weights, gradients and moments. What the process then
 * has is "held", and "peak" the most that it had during the full steps, MiB.
 */
final class TrainingBench {
    private static final Set<String> SETTINGS = Set.of(
            "model",
            "vocabulary",
            "type",
            "rows",
            "tokens",
            "batches",
            "pack",
            "warmup",
            "steps",
            "lora",
            "recompute",
            "rate",
            "threads",
            "losses",
            "products");

    private TrainingBench() {}

    /** A step of whatever learns. */
    private interface Step {
        double run(PackedBatch batch);
    }

    public static void main(String[] arguments) throws IOException {
        Flags flags = new Flags(arguments, SETTINGS);
        ComputeType type = ComputeType.valueOf(flags.text("type", "bfloat16").toUpperCase(Locale.ROOT));
        Threads.intraOp(flags.number("threads", 1));
        double rate = flags.real("rate", 3e-4);
        try (LanguageModel model = model(flags, type)) {
            try (DecoderLearner learner = learner(model, flags.number("lora", 0))) {
                learner.recomputeActivations(flags.flag("recompute"));
                measure(flags, model.config(), type, batch -> {
                    double loss = learner.accumulate(batch, batch.lossTokens());
                    learner.clip(1);
                    learner.update(rate);
                    return loss;
                });
            }
        }
    }

    private static DecoderLearner learner(LanguageModel model, int rank) {
        AdamWSettings optimizer = AdamWSettings.defaults();
        return rank > 0
                ? TrainableAdapter.from(model, LoraConfig.of(rank, 2.0 * rank), 1, optimizer)
                : TrainableModel.from(model, optimizer);
    }

    private static LanguageModel model(Flags flags, ComputeType type) {
        String name = flags.text("model", "medium");
        if (name.contains("/")) {
            return LanguageModel.load(Path.of(name), type);
        }
        ModelConfig shape = Shapes.named(name);
        return LanguageModel.random(
                Shapes.withVocabulary(shape, flags.number("vocabulary", shape.vocabularySize())), 1, type);
    }

    private static void measure(Flags flags, ModelConfig config, ComputeType type, Step step) throws IOException {
        List<PackedBatch> batches = flags.text("batches", "").isEmpty()
                ? List.of(random(config.vocabularySize(), flags.number("rows", 4), flags.number("tokens", 512)))
                : ExampleFile.read(Path.of(flags.text("batches", "")), flags.number("pack", 0));
        int warmup = flags.number("warmup", 2);
        int steps = flags.number("steps", 5);
        if (!flags.flag("losses")) {
            step.run(random(config.vocabularySize(), 1, 2)); // would change the losses
        }
        double held = Usage.residentMebibytes();
        Usage.forgetPeak();

        List<Double> losses = new ArrayList<>();
        for (int i = 0; i < warmup; i++) {
            losses.add(step.run(batches.get(i % batches.size())));
        }
        long tokens = 0;
        long positions = 0;
        double start = Usage.cpuSeconds();
        for (int i = warmup; i < warmup + steps; i++) {
            PackedBatch batch = batches.get(i % batches.size());
            losses.add(step.run(batch));
            tokens += ExampleFile.tokens(batch);
            positions += (long) batch.rows() * batch.length();
        }
        double used = Usage.cpuSeconds() - start;
        double peak = Usage.peakMebibytes();

        StringBuilder line = new StringBuilder(String.format(
                Locale.ROOT,
                "{\"tool\": \"tidemill\", \"type\": \"%s\", \"tokens\": %d, \"positions\": %d, \"cpu_seconds\": %.3f,"
                        + " \"tokens_per_cpu_second\": %.1f, \"held_mib\": %.0f, \"peak_mib\": %.0f, \"step_mib\": %.0f",
                type.name().toLowerCase(Locale.ROOT),
                tokens,
                positions,
                used,
                tokens / used,
                held,
                peak,
                peak - held));
        if (flags.flag("products")) {
            PackedBatch batch = batches.get(0);
            double products = new ProductRate(type).flopPerCpuSecond(config, batch.rows() * batch.length());
            double ours = ProductRate.flopPerToken(config, batch.length()) * positions / used;
            line.append(String.format(
                    Locale.ROOT,
                    ", \"gflops\": %.1f, \"product_gflops\": %.1f, \"share\": %.3f",
                    ours / 1e9,
                    products / 1e9,
                    ours / products));
        }
        if (flags.flag("losses")) {
            line.append(", \"losses\": ").append(losses);
        }
        System.out.println(line.append("}"));
    }

    static PackedBatch random(int vocabulary, int rows, int length) {
        Random random = new Random(7);
        int[][] ids = new int[rows][];
        int[][] targets = new int[rows][length];
        int[][] segments = new int[rows][length];
        for (int row = 0; row < rows; row++) {
            ids[row] = random.ints(length, 0, vocabulary).toArray();
            System.arraycopy(ids[row], 1, targets[row], 0, length - 1);
            targets[row][length - 1] = PackedBatch.IGNORED;
            Arrays.fill(segments[row], 1);
        }
        return new PackedBatch(ids, targets, segments);
    }
}
