package io.tidemill.bench;

import com.sun.management.OperatingSystemMXBean;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.Generation;
import io.tidemill.model.engine.Generator;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Sampling;
import io.tidemill.model.engine.Threads;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * Tokens per CPU-second of generation, one thread: {@code DIRECTORY TYPE BATCH PROMPT NEW SECONDS [temperature top-p]}.
 *
 * <p>DIRECTORY is a Hugging Face model, or the name of one of {@link Shapes} for random weights. TYPE is float32 or
 * bfloat16. BATCH prompts of PROMPT random tokens are answered together with NEW tokens each, for about SECONDS. Without a
 * temperature the most likely token is taken.
 */
final class GenerationBench {
    private static final double WARM_UP_SECONDS = 4;

    private GenerationBench() {}

    public static void main(String[] arguments) {
        String model = arguments[0];
        ComputeType type = ComputeType.valueOf(arguments[1].toUpperCase(Locale.ROOT));
        int batch = Integer.parseInt(arguments[2]);
        int promptTokens = Integer.parseInt(arguments[3]);
        int newTokens = Integer.parseInt(arguments[4]);
        double seconds = Double.parseDouble(arguments[5]);
        double temperature = arguments.length > 6 ? Double.parseDouble(arguments[6]) : 0;
        double topP = arguments.length > 7 ? Double.parseDouble(arguments[7]) : 1;
        Threads.intraOp(1);
        try (LanguageModel weights = model.contains("/")
                ? LanguageModel.load(Path.of(model), type)
                : LanguageModel.random(Shapes.named(model), 1, type)) {
            int vocabulary = weights.config().vocabularySize();
            List<int[]> prompts = new ArrayList<>();
            for (int i = 0; i < batch; i++) {
                prompts.add(new Random(i).ints(promptTokens, 0, vocabulary).toArray());
            }
            Generator generator = new Generator(weights);
            Sampling sampling = new Sampling(temperature, topP, 0, newTokens, 0, Set.of());
            // Until kernels are made, weights packed, and Java compiled.
            for (double begun = cpuSeconds(); cpuSeconds() - begun < WARM_UP_SECONDS; ) {
                generator.generate(prompts, sampling, batch);
            }

            long tokens = 0;
            double start = cpuSeconds();
            do {
                for (Generation answer : generator.generate(prompts, sampling, batch)) {
                    tokens += answer.tokens().length;
                }
            } while (cpuSeconds() - start < seconds);
            double used = cpuSeconds() - start;
            System.out.printf(
                    Locale.ROOT,
                    "{\"tool\": \"tidemill\", \"type\": \"%s\", \"batch\": %d, \"tokens\": %d, \"cpu_seconds\": %.3f,"
                            + " \"tokens_per_cpu_second\": %.1f}%n",
                    type.name().toLowerCase(Locale.ROOT),
                    batch,
                    tokens,
                    used,
                    tokens / used);
        }
    }

    private static double cpuSeconds() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime() / 1e9;
    }
}
