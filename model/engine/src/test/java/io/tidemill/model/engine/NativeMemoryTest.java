package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NativeMemoryTest {
    /** The heap is of fixed size and touched at start (pom.xml), so what grows is native. 3 MB of weights: one leaked copy per round would show as 150 MB. */
    private static final ModelConfig SMALL =
            new ModelConfig(2048, 128, 256, 4, 4, 2, 32, 64, 10_000, 1e-5, true, 0.02, 0, List.of());

    @Test
    @EnabledOnOs(OS.LINUX)
    void whatCanBeDoneOverAndOverKeepsMemoryFlat() throws IOException {
        Threads.intraOp(1);
        round(15);
        long before = residentBytes();
        round(45);
        assertThat((residentBytes() - before) / 1e6)
                .as("megabytes more after 45 rounds of everything")
                .isLessThan(80);
    }

    private static void round(int times) {
        PackedBatch batch = Fixtures.randomBatch(SMALL, 1, 2, 48);
        for (int i = 0; i < times; i++) {
            try (LanguageModel model = LanguageModel.random(SMALL, 1, ComputeType.best());
                    TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
                trainable.accumulate(batch, batch.lossTokens());
                answer(trainable);
                trainable.clip(1);
                trainable.update(1e-3);
                trainable.discardGradients();
                adapt(model, batch);
                try (LanguageModel snapshot = trainable.snapshot(ComputeType.best())) {
                    snapshot.logProbabilities(List.of(batch.ids()[0], batch.ids()[1]));
                    snapshot.logits(batch.ids()[0]);
                    new Generator(snapshot)
                            .generate(new int[] {1, 2, 3}, Sampling.greedy(8, Set.of()), (token, p) -> true);
                }
            }
        }
    }

    /** An objective that gives slopes, and one that fails between the way there and the way back. */
    private static void answer(DecoderLearner learner) {
        List<PromptAnswers> texts = List.of(
                new PromptAnswers(new int[30], List.of(new int[20], new int[30])),
                new PromptAnswers(new int[9], List.of(new int[30])));
        learner.logProbabilities(texts);
        learner.accumulate(texts, (which, call) -> {
            call.addSlope(0, 1, -0.01);
            return call.logProbability(0, 1);
        });
        assertThatThrownBy(() -> learner.accumulate(texts, (which, call) -> {
                    throw new IllegalStateException("no reward");
                }))
                .hasMessage("no reward");
    }

    private static void adapt(LanguageModel model, PackedBatch batch) {
        LoraConfig config = LoraConfig.of(8, 16);
        try (TrainableAdapter trainable = TrainableAdapter.from(model, config, 1, AdamWSettings.defaults())) {
            trainable.accumulate(batch, batch.lossTokens());
            answer(trainable);
            trainable.clip(1);
            trainable.update(1e-3);
            try (LoraAdapter adapter = trainable.snapshot();
                    LanguageModel merged = adapter.mergedInto(model)) {
                adapter.logits(model, batch.ids()[0]);
                merged.logits(batch.ids()[0]);
            }
        }
    }

    /**
     * The short form of bench's SoakBench, of a few sizes, because each new one may let malloc's memory grow once. The
     * smallest activation of a step is 33 thousand bytes, a cache 130 thousand.
     */
    @Test
    @EnabledOnOs(OS.LINUX)
    void trainingStepsAndAnswersLeaveNothingBehind() throws IOException {
        Threads.intraOp(1);
        try (LanguageModel model = LanguageModel.random(SMALL, 1, ComputeType.best());
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            double ofTraining = leaked(step -> {
                PackedBatch batch = Fixtures.randomBatch(SMALL, step, 1 + step % 3, 64);
                trainable.accumulate(batch, batch.lossTokens());
                trainable.clip(1);
                trainable.update(1e-4);
            });
            Generator generator = new Generator(model);
            double ofGeneration = leaked(step -> {
                int[] prompt = new Random(step)
                        .ints(8 << step % 3, 0, SMALL.vocabularySize())
                        .toArray();
                Sampling sampling = new Sampling(step % 2, 0.95, 0, 8, step, Set.of());
                generator.generate(prompt, sampling, (token, p) -> true);
            });
            System.out.printf("bytes a step: training %.0f, generation %.0f%n", ofTraining, ofGeneration);
            assertThat(ofTraining).as("bytes that a training step leaves").isLessThan(20_000);
            assertThat(ofGeneration).as("bytes that an answer leaves").isLessThan(20_000);
        }
    }

    /** The lowest slope of up to three: the heap may grow within one, what a step leaves grows in each. */
    private static double leaked(IntConsumer work) throws IOException {
        double lowest = Double.POSITIVE_INFINITY;
        for (int attempt = 0; attempt < 3 && lowest >= 20_000; attempt++) {
            lowest = Math.min(lowest, bytesPerStep(work));
        }
        return lowest;
    }

    /** Slope of the resident set over the second half of 400 steps, by least squares. */
    private static double bytesPerStep(IntConsumer work) throws IOException {
        List<double[]> samples = new ArrayList<>();
        for (int step = 1; step <= 400; step++) {
            work.accept(step);
            if (step > 200 && step % 10 == 0) {
                samples.add(new double[] {step, residentBytes()});
            }
        }
        double meanStep =
                samples.stream().mapToDouble(sample -> sample[0]).average().orElseThrow();
        double covariance = samples.stream()
                .mapToDouble(sample -> (sample[0] - meanStep) * sample[1])
                .sum();
        double variance = samples.stream()
                .mapToDouble(sample -> Math.pow(sample[0] - meanStep, 2))
                .sum();
        return covariance / variance;
    }

    /** 80 MB of weights, and 40 MB as bfloat16: a gradient, a moment or a copy of them would show. */
    @ParameterizedTest
    @EnumSource(ComputeType.class)
    @EnabledOnOs(OS.LINUX)
    void aFrozenBaseGetsNoGradientNoMomentsAndNoCopy(ComputeType type) throws IOException {
        Threads.intraOp(1);
        ModelConfig config = new ModelConfig(8192, 512, 1536, 5, 8, 4, 64, 64, 10_000, 1e-5, true, 0.02, 0, List.of());
        PackedBatch batch = Fixtures.randomBatch(config, 1, 1, 16);
        double weightMegabytes = config.parameterCount() * 4 / 1e6;
        assertThat(weightMegabytes).isGreaterThan(75);
        round(2); // so that libtorch's code and workspaces are there before anything is measured
        try (LanguageModel base = LanguageModel.random(config, 1, type)) {
            base.logits(batch.ids()[0]);
            long before = residentBytes();
            LoraConfig small = LoraConfig.of(4, 8);
            try (TrainableAdapter trainable = TrainableAdapter.from(base, small, 1, AdamWSettings.defaults())) {
                resetPeak();
                for (int step = 0; step < 3; step++) {
                    trainable.accumulate(batch, batch.lossTokens());
                    trainable.clip(1);
                    trainable.update(1e-3);
                }
                double held = (residentBytes() - before) / 1e6;
                double peak = (status("VmHWM") - before) / 1e6;
                assertThat(held).as("megabytes held by the adapter").isLessThan(weightMegabytes / 4);
                assertThat(peak).as("megabytes needed by a step").isLessThan(weightMegabytes / 2);
            }
        }
    }

    /**
     * 16 layers whose activations take about 13 MB each: kept together, or one after the other. What a step has freed may
     * stay resident, so the small ones come first and all are counted from one start.
     */
    @Test
    @EnabledOnOs(OS.LINUX)
    void recomputedActivationsTakeTheMemoryOfOneLayer() throws IOException {
        Threads.intraOp(1);
        ModelConfig config = new ModelConfig(64, 128, 512, 16, 4, 2, 32, 128, 10_000, 1e-5, true, 0.02, 0, List.of());
        PackedBatch batch = Fixtures.randomBatch(config, 1, 8, 128);
        AdamWSettings settings = AdamWSettings.defaults();
        round(2);
        try (LanguageModel base = LanguageModel.random(config, 1, ComputeType.FLOAT32);
                TrainableAdapter adapter = TrainableAdapter.from(base, LoraConfig.of(4, 8), 1, settings);
                TrainableModel whole = TrainableModel.from(base, settings)) {
            whole.accumulate(Fixtures.randomBatch(config, 1, 1, 8), 7); // touches the gradients
            long start = residentBytes();
            adapter.recomputeActivations(true);
            whole.recomputeActivations(true);
            double adapterAgain = peakMegabytes(start, () -> adapter.accumulate(batch, batch.lossTokens()));
            double wholeAgain = peakMegabytes(start, () -> whole.accumulate(batch, batch.lossTokens()));
            adapter.recomputeActivations(false);
            whole.recomputeActivations(false);
            double adapterKept = peakMegabytes(start, () -> adapter.accumulate(batch, batch.lossTokens()));
            double wholeKept = peakMegabytes(start, () -> whole.accumulate(batch, batch.lossTokens()));
            assertThat(adapterAgain).as("megabytes, adapter, recomputed").isLessThan(adapterKept / 2);
            assertThat(wholeAgain).as("megabytes, whole model, recomputed").isLessThan(wholeKept / 2);
        }
    }

    private static double peakMegabytes(long start, DoubleSupplier work) throws IOException {
        resetPeak();
        assertThat(work.getAsDouble()).isPositive();
        return (status("VmHWM") - start) / 1e6;
    }

    /** From here on VmHWM counts anew: proc(5), /proc/pid/clear_refs. */
    private static void resetPeak() throws IOException {
        Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    }

    private static long residentBytes() throws IOException {
        System.gc(); // gives back direct buffers that nobody uses
        return status("VmRSS");
    }

    private static long status(String field) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(field + ":")) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("/proc/self/status has no " + field);
    }
}
