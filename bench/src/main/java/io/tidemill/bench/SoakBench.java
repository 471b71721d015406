package io.tidemill.bench;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.Generator;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.Sampling;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Whether memory stays flat: {@code [STEPS [SHAPE]]}, 5,000 training steps and then as many generations, of the base shape, one
 * thread. Batches of 1 to 3 rows of 16 to 64 tokens and prompts of 1 to 48 tokens, answered with 1 to 24, so that sizes
 * vary as they do in use.
 *
 * <p>Prints the resident set every hundredth, and in the end the slope: the straight line of least squares through what was
 * printed after the first fifth, in bytes a step. Of Linux; with a heap of fixed size, so that what grows is native:
 * {@code TIDEMILL_JAVA_OPTS="-Xms256m -Xmx256m -XX:+AlwaysPreTouch" bench/run SoakBench}.
 */
final class SoakBench {
    private static final int SAMPLES = 50;

    private SoakBench() {}

    public static void main(String[] arguments) {
        int steps = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5000;
        if (steps < SAMPLES) {
            throw new IllegalArgumentException("STEPS must be at least " + SAMPLES + ", but was " + steps);
        }
        ModelConfig shape = Shapes.named(arguments.length > 1 ? arguments[1] : "base");
        Threads.intraOp(1);
        try (LanguageModel start = LanguageModel.random(shape, 1, ComputeType.best())) {
            try (TrainableModel trainable = TrainableModel.from(start, AdamWSettings.defaults())) {
                Random random = new Random(1);
                soak("train", steps, step -> {
                    PackedBatch batch = batch(shape, random);
                    trainable.accumulate(batch, batch.lossTokens());
                    trainable.clip(1);
                    trainable.update(1e-4);
                });
            }
            Random random = new Random(2);
            Generator generator = new Generator(start);
            soak("generate", steps, step -> {
                int[] prompt = random.ints(1 + random.nextInt(48), 0, shape.vocabularySize())
                        .toArray();
                double temperature = step % 2;
                generator.generate(
                        prompt,
                        new Sampling(temperature, 0.95, 0, 1 + random.nextInt(24), step, Set.of()),
                        (token, logProbability) -> true);
            });
        }
    }

    private static PackedBatch batch(ModelConfig shape, Random random) {
        int length = 16 + random.nextInt(49);
        int[][] ids = new int[1 + random.nextInt(3)][];
        int[][] targets = new int[ids.length][];
        int[][] segments = new int[ids.length][length];
        for (int row = 0; row < ids.length; row++) {
            ids[row] = random.ints(length, 0, shape.vocabularySize()).toArray();
            targets[row] = Arrays.copyOfRange(ids[row], 1, length + 1);
            targets[row][length - 1] = PackedBatch.IGNORED;
            Arrays.fill(segments[row], 1);
        }
        return new PackedBatch(ids, targets, segments);
    }

    private static void soak(String what, int steps, IntConsumer work) {
        List<double[]> samples = new ArrayList<>();
        for (int step = 1; step <= steps; step++) {
            work.accept(step);
            if (step % (steps / SAMPLES) == 0) {
                double resident = residentBytes();
                System.out.printf(
                        Locale.ROOT,
                        "{\"what\": \"%s\", \"step\": %d, \"resident_mb\": %.1f}%n",
                        what,
                        step,
                        resident / 1e6);
                samples.add(new double[] {step, resident});
            }
        }
        List<double[]> warm = samples.subList(samples.size() / 5, samples.size());
        System.out.printf(
                Locale.ROOT,
                "{\"what\": \"%s\", \"steps\": %d, \"slope_bytes_per_step\": %.1f, \"lowest_mb\": %.1f, \"highest_mb\": %.1f}%n",
                what,
                steps,
                slope(warm),
                warm.stream().mapToDouble(sample -> sample[1]).min().orElseThrow() / 1e6,
                warm.stream().mapToDouble(sample -> sample[1]).max().orElseThrow() / 1e6);
    }

    /** Of the straight line of least squares: covariance over variance. */
    private static double slope(List<double[]> samples) {
        double meanX =
                samples.stream().mapToDouble(sample -> sample[0]).average().orElseThrow();
        double meanY =
                samples.stream().mapToDouble(sample -> sample[1]).average().orElseThrow();
        double covariance = 0;
        double variance = 0;
        for (double[] sample : samples) {
            covariance += (sample[0] - meanX) * (sample[1] - meanY);
            variance += (sample[0] - meanX) * (sample[0] - meanX);
        }
        return covariance / variance;
    }

    private static double residentBytes() {
        System.gc(); // gives back direct buffers that nobody uses
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToDouble(line -> 1024.0 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException("The resident set is read from /proc, which only Linux has", e);
        }
    }
}
