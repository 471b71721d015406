package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.EngineException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeMemoryExceptionTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"
                        + " allocate 13258342400 bytes. Error code 12 (Cannot allocate memory) | 13258342400",
                "DefaultCPUAllocator: not enough memory: you tried to allocate 42 bytes. | 42",
                "RuntimeError: CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of 79 GiB"
                        + " | 1610612736",
                "CUDA out of memory. Tried to allocate 20.00 MiB | 20971520",
                "std::bad_alloc | 0",
                "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)` | 0"
            })
    void whatLibtorchSaysOfMemoryHasATypeAndItsBytes(String message, long bytes) {
        NativeMemoryException found =
                NativeMemoryException.of(new EngineException(message)).orElseThrow();
        assertThat(found.bytesAsked().orElse(0)).isEqualTo(bytes);
        assertThat(found).hasMessageStartingWith("libtorch got no memory").hasMessageNotContaining("alloc_cpu");
    }

    @Test
    void otherFailuresStayWhatTheyAre() {
        assertThat(NativeMemoryException.of(new EngineException("The size of tensor a (3) must match tensor b")))
                .isEmpty();
        assertThat(NativeMemoryException.of(new EngineException((String) null))).isEmpty();
    }

    /** A JVM of its own, because a limit of address space is one of a process. */
    @Test
    void aProcessAtItsLimitGetsTheExceptionAndGoesOnWithTheSameWeights(@TempDir Path directory) throws Exception {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/prlimit"))
                        && System.getProperty("os.name").equals("Linux"),
                "needs prlimit of util-linux");
        Path output = directory.resolve("output");
        Process child = new ProcessBuilder(
                        "/usr/bin/prlimit",
                        "--as=" + (12L << 30),
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Limited.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(child.waitFor(5, TimeUnit.MINUTES)).isTrue();
        } finally {
            child.destroyForcibly();
        }
        assertThat(Files.readString(output))
                .contains("the same loss: true")
                .contains("a batch: libtorch got no memory when it asked for ")
                .contains("the same weights: true")
                .contains("a model: libtorch got no memory when it asked for 3051");
        assertThat(child.exitValue()).isZero();
    }

    /** Asks for more than there is, then for what there is. */
    static final class Limited {
        private static final ModelConfig SMALL =
                new ModelConfig(50, 8, 8, 1, 1, 1, 8, 200_000, 10_000, 1e-5, true, 0.02, 0, List.of(0));

        public static void main(String[] arguments) {
            Threads.intraOp(1);
            try (LanguageModel model = LanguageModel.random(SMALL, 1, ComputeType.FLOAT32);
                    TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
                double before = trainable.accumulate(batch(16), 16);
                trainable.discardGradients();
                try {
                    trainable.accumulate(batch(200_000), 200_000);
                } catch (NativeMemoryException e) { // of attention's mask, 200,000 × 200,000
                    System.out.println("a batch: " + e.getMessage());
                }
                trainable.discardGradients();
                System.out.println("the same loss: " + (before == trainable.accumulate(batch(16), 16)));
                try (LanguageModel after = trainable.snapshot(ComputeType.FLOAT32)) {
                    System.out.println("the same weights: " + after.digest().equals(model.digest()));
                }
            }
            ModelConfig large =
                    new ModelConfig(1_000_000, 8000, 8, 1, 1, 1, 8, 16, 10_000, 1e-5, true, 0.02, 0, List.of(0));
            try (LanguageModel model = LanguageModel.random(large, 1, ComputeType.FLOAT32)) {
                System.out.println("a model of " + model.config().parameterCount() + " weights fits");
            } catch (NativeMemoryException e) {
                System.out.println("a model: " + e.getMessage());
            }
        }

        /** Two examples in a row, so that a mask is needed. */
        private static PackedBatch batch(int length) {
            int[][] ids = new int[1][length];
            int[][] segments = new int[1][length];
            for (int t = 0; t < length; t++) {
                ids[0][t] = t % 50;
                segments[0][t] = t < length / 2 ? 1 : 2;
            }
            return new PackedBatch(ids, ids, segments);
        }
    }
}
