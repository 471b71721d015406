package io.tidemill.bench;

import com.sun.management.OperatingSystemMXBean;
import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Tokens per CPU-second of llama.cpp, one thread: {@code FILE.gguf BATCH PROMPT NEW SECONDS}, as {@link GenerationBench}. The
 * file is what {@code bench/peers/write_gguf.py} wrote.
 */
final class LlamaBench {
    private LlamaBench() {}

    public static void main(String[] arguments) throws InterruptedException, ExecutionException {
        int batch = Integer.parseInt(arguments[1]);
        int promptTokens = Integer.parseInt(arguments[2]);
        int newTokens = Integer.parseInt(arguments[3]);
        double seconds = Double.parseDouble(arguments[4]);
        LlamaModel.setLogger(null, (level, message) -> {});
        ModelParameters parameters = new ModelParameters()
                .setModel(arguments[0])
                .setThreads(1)
                .setThreadsBatch(1)
                .setPoll(0)
                .setParallel(batch)
                .setCtxSize(batch * (promptTokens + newTokens + 8));
        ExecutorService callers = Executors.newFixedThreadPool(batch);
        try (LlamaModel model = new LlamaModel(parameters)) {
            answer(model, callers, batch, promptTokens, newTokens);
            long tokens = 0;
            double start = cpuSeconds();
            do {
                tokens += answer(model, callers, batch, promptTokens, newTokens);
            } while (cpuSeconds() - start < seconds);
            double used = cpuSeconds() - start;
            System.out.printf(
                    Locale.ROOT,
                    "{\"tool\": \"llama.cpp\", \"type\": \"bfloat16\", \"batch\": %d, \"tokens\": %d, \"cpu_seconds\": %.3f,"
                            + " \"tokens_per_cpu_second\": %.1f}%n",
                    batch,
                    tokens,
                    used,
                    tokens / used);
        } finally {
            callers.shutdownNow();
        }
    }

    private static long answer(LlamaModel model, ExecutorService callers, int batch, int promptTokens, int newTokens)
            throws InterruptedException, ExecutionException {
        List<Future<Integer>> answers = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            InferenceParameters question = new InferenceParameters(prompt(i, promptTokens))
                    .setNPredict(newTokens)
                    .setTemperature(0)
                    .setIgnoreEos(true)
                    .setCachePrompt(false);
            answers.add(callers.submit(() -> {
                model.complete(question);
                return newTokens; // the end of text is ignored
            }));
        }
        long tokens = 0;
        for (Future<Integer> answer : answers) {
            tokens += answer.get();
        }
        return tokens;
    }

    private static String prompt(int seed, int tokens) {
        return new Random(seed)
                .ints(tokens, 0x4E00, 0x4E00 + 20_000)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static double cpuSeconds() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime() / 1e9;
    }
}
