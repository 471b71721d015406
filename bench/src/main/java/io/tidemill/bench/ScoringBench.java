package io.tidemill.bench;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Threads;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * How fast the gate's losses are found: {@code --model DIRECTORY --sequences 500 --tokens 512 --at-once 4096 --workers 1
 * --type bfloat16}. Each worker scores a share of the sequences with one thread.
 */
final class ScoringBench {
    private ScoringBench() {}

    public static void main(String[] arguments) throws Exception {
        Flags flags = new Flags(arguments, Set.of("model", "sequences", "tokens", "at-once", "workers", "type"));
        int count = flags.number("sequences", 500);
        int length = flags.number("tokens", 512);
        int atOnce = flags.number("at-once", 4096);
        int workers = flags.number("workers", 1);
        ComputeType type = ComputeType.valueOf(flags.text("type", "bfloat16").toUpperCase(Locale.ROOT));
        try (LanguageModel model = LanguageModel.load(Path.of(flags.text("model", "")), type)) {
            Random random = new Random(1);
            List<int[]> sequences = IntStream.range(0, count)
                    .mapToObj(i -> random.ints(length, 1, model.config().vocabularySize())
                            .toArray())
                    .toList();
            ExecutorService pool = Executors.newFixedThreadPool(workers);
            try {
                for (int round = 0; round < 4; round++) {
                    double cpu = Usage.cpuSeconds();
                    long start = System.nanoTime();
                    List<Future<?>> parts = new ArrayList<>();
                    for (int worker = 0; worker < workers; worker++) {
                        List<int[]> part = sequences.subList(worker * count / workers, (worker + 1) * count / workers);
                        parts.add(pool.submit(() -> {
                            Threads.intraOp(1);
                            model.logProbabilities(part, atOnce);
                        }));
                    }
                    for (Future<?> part : parts) {
                        part.get();
                    }
                    double wall = (System.nanoTime() - start) * 1e-9;
                    double used = Usage.cpuSeconds() - cpu;
                    System.out.printf(
                            Locale.ROOT,
                            "{\"type\": \"%s\", \"workers\": %d, \"at_once\": %d, \"seconds\": %.2f, \"cpu_seconds\": %.2f,"
                                    + " \"tokens_per_second\": %.0f, \"tokens_per_cpu_second\": %.0f}%n",
                            type,
                            workers,
                            atOnce,
                            wall,
                            used,
                            (double) count * length / wall,
                            (double) count * length / used);
                }
            } finally {
                pool.shutdownNow();
            }
        }
    }
}
