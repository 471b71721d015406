package io.tidemill.model.engine;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Tokens per second of the shape of the embedded base model, by hand: arguments are threads, rows, tokens per row,
 * and the compute type if not both.
 * Not a test; the README says how to run it.
 */
final class SpeedTrial {
    private static final ModelConfig BASE =
            new ModelConfig(6144, 256, 704, 8, 8, 4, 32, 512, 10_000, 1e-5, true, 0.02, 0, List.of(0));

    private SpeedTrial() {}

    private static double cpuSeconds() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime() / 1e9;
    }

    public static void main(String[] arguments) {
        int threads = Integer.parseInt(arguments[0]);
        int rows = Integer.parseInt(arguments[1]);
        int length = Integer.parseInt(arguments[2]);
        System.out.printf("%,d parameters, %d threads, %d x %d%n", BASE.parameterCount(), threads, rows, length);
        Threads.intraOp(threads);
        List<ComputeType> types =
                arguments.length > 3 ? List.of(ComputeType.valueOf(arguments[3])) : List.of(ComputeType.values());
        for (ComputeType type : types) {
            try (LanguageModel model = LanguageModel.random(BASE, 1, type)) {
                train(model, rows, length, 1, false);
                train(model, rows, length, 4, false);
                train(model, rows, length, 1, true);
                generate(model);
                score(model);
            }
        }
    }

    private static void train(LanguageModel model, int rows, int length, int segments, boolean again) {
        PackedBatch batch = batch(rows, length, segments);
        try (TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            trainable.recomputeActivations(again);
            double loss = 0;
            for (int i = 0; i < 3; i++) {
                step(trainable, batch);
            }
            int steps = 10;
            double cpu = cpuSeconds();
            long start = System.nanoTime();
            for (int i = 0; i < steps; i++) {
                loss = step(trainable, batch);
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            cpu = cpuSeconds() - cpu;
            System.out.printf(
                    "%s train, %d examples per row, activations %s: %,.0f tokens/s, %,.0f tokens/CPU-s, loss %.4f%n",
                    model.computeType(),
                    segments,
                    again ? "recomputed" : "kept",
                    steps * (double) rows * length / seconds,
                    steps * (double) rows * length / cpu,
                    loss);
        }
    }

    private static double step(TrainableModel trainable, PackedBatch batch) {
        double loss = trainable.accumulate(batch, batch.lossTokens());
        trainable.clip(1);
        trainable.update(1e-3);
        return loss;
    }

    private static void generate(LanguageModel model) {
        Generator generator = new Generator(model);
        int[] prompt = new Random(1).ints(32, 0, 6144).toArray();
        for (Sampling sampling : List.of(Sampling.greedy(400, Set.of()), new Sampling(0.8, 0.9, 0, 400, 1, Set.of()))) {
            generator.generate(prompt, sampling, (token, p) -> true);
            double cpu = cpuSeconds();
            long start = System.nanoTime();
            int n = generator.generate(prompt, sampling, (token, p) -> true).tokens().length;
            double seconds = (System.nanoTime() - start) / 1e9;
            cpu = cpuSeconds() - cpu;
            System.out.printf(
                    "%s generate, temperature %.1f: %.0f tokens/s, %.0f tokens/CPU-s%n",
                    model.computeType(), sampling.temperature(), n / seconds, n / cpu);
        }
    }

    private static void score(LanguageModel model) {
        Random random = new Random(2);
        List<int[]> sequences = new ArrayList<>();
        int tokens = 0;
        for (int i = 0; i < 200; i++) {
            int[] ids = random.ints(20 + random.nextInt(60), 0, 6144).toArray();
            sequences.add(ids);
            tokens += ids.length;
        }
        model.logProbabilities(sequences);
        double cpu = cpuSeconds();
        long start = System.nanoTime();
        model.logProbabilities(sequences);
        double seconds = (System.nanoTime() - start) / 1e9;
        cpu = cpuSeconds() - cpu;
        System.out.printf(
                "%s score short sequences: %,.0f tokens/s, %,.0f tokens/CPU-s%n",
                model.computeType(), tokens / seconds, tokens / cpu);
    }

    private static PackedBatch batch(int rows, int length, int segments) {
        Random random = new Random(7);
        int[][] ids = new int[rows][];
        int[][] targets = new int[rows][length];
        int[][] marks = new int[rows][length];
        for (int row = 0; row < rows; row++) {
            ids[row] = random.ints(length, 0, 6144).toArray();
            for (int t = 0; t < length; t++) {
                marks[row][t] = 1 + t * segments / length;
                boolean last = t + 1 == length || (t + 1) * segments / length != t * segments / length;
                targets[row][t] = last ? PackedBatch.IGNORED : ids[row][t + 1];
            }
        }
        return new PackedBatch(ids, targets, marks);
    }
}
