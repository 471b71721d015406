package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.Safetensors;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.trainer.checkpoint.RecordedDisk;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.stage.StageState.Saved;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a running round keeps, after power cuts and on a disk that changes it. */
class WorkDirectoryTest {
    private static final int WEIGHTS = 300;

    @TempDir
    Path scratch;

    /** Weights that are their step, in the files of the engine's own writer. */
    private static class Steps implements Learner {
        private float step;

        @Override
        public String saveState(Path file) {
            try {
                Safetensors.write(
                        file,
                        Map.of(),
                        List.of(new Safetensors.Entry("weights", "F32", new long[] {WEIGHTS})),
                        (entry, from, values, count) -> Arrays.fill(values, 0, count, step));
                return FileDigests.of(file.getParent(), file).getSha256();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void loadState(Path file) {
            try (Safetensors.Reader reader = Safetensors.open(file)) {
                float[] weights = reader.floats("weights");
                step = weights[0];
                for (float weight : weights) {
                    assertThat(weight).isEqualTo(step);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public double clip(double maximumNorm) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void update(double learningRate) {
            step++;
        }

        @Override
        public void discardGradients() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void recomputeActivations(boolean recompute) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }

    private static RoundPlan plan() {
        return new RoundPlan(
                "tiny-000007",
                "tiny-000006",
                "",
                7,
                new Slice(List.of(new OffsetRange("sequences", 0, 10, 20))),
                Slice.EMPTY,
                TrainerRig.settings(0.01),
                "of this test",
                0,
                ErasurePlan.NONE);
    }

    private static void train(WorkDirectory work, Steps learner, String stage, int steps) {
        for (int step = 1; step <= steps; step++) {
            learner.update(0.1);
            work.save(stage, step, Map.of("mean", (double) step), learner);
        }
    }

    @Test
    void aPowerCutAtAnyWriteOfASavedStateGoesOnFromItOrFromTheOneBefore() throws IOException {
        RecordedDisk disk = new RecordedDisk(Files.createDirectory(scratch.resolve("disk")));
        WorkDirectory work = WorkDirectory.begin(disk.root(), plan());
        int planned = disk.length();
        work.keepReferences("preference", List.of(new double[] {-1.5, -2.25}));
        int referenced = disk.length();
        Steps learner = new Steps();
        train(work, learner, Stages.SFT, 2);
        int second = disk.length();
        train(work, learner, Stages.RATING, 1);
        int last = disk.length();

        for (int n = 1; n <= last; n++) {
            int cutAt = n;
            disk.afterCut(n, scratch.resolve("cut"), (survived, cut) -> {
                List<WorkDirectory> found = WorkDirectory.unfinished(survived);
                if (cutAt < planned && found.isEmpty()) {
                    return;
                }
                assertThat(found).as(cut).hasSize(1);
                WorkDirectory resumed = found.get(0);
                assertThat(resumed.plan()).as(cut).isEqualTo(plan());
                if (cutAt >= referenced) {
                    assertThat(resumed.references("preference", 1)).as(cut).isPresent();
                }
                Steps weights = new Steps();
                Saved sft = resumed.resume(Stages.SFT, weights);
                Saved rating = resumed.resume(Stages.RATING, weights);
                // of the rating's only step the weights are those after three
                assertThat(weights.step).as(cut).isEqualTo(rating.step() == 1 ? 3f : (float) sft.step());
                assertThat((double) sft.step())
                        .as(cut)
                        .isEqualTo(sft.memory().getOrDefault("mean", 0.0).doubleValue());
                if (cutAt >= second) {
                    assertThat(sft.step() == 2 || rating.step() == 1).as(cut).isTrue();
                }
                if (cutAt == last) {
                    assertThat(rating.step()).as(cut).isEqualTo(1);
                }
            });
        }
        assertThat(last).as("operations of a round's writer").isGreaterThan(40);
    }

    @Test
    void whatCouldNotBeKeptBehindTheNextStepsIsToldBeforeAnythingReliesOnIt() throws IOException {
        WorkDirectory work = WorkDirectory.begin(scratch, plan());
        train(work, new Steps(), Stages.SFT, 1);
        CompletableFuture<String> writing = new CompletableFuture<>();
        Steps learner = new Steps() {
            @Override
            public CompletableFuture<String> saveStateBehind(Path file) {
                return writing;
            }
        };
        work.save(Stages.SFT, 2, Map.of(), learner);
        assertThat(work.resume(Stages.SFT, new Steps()).step())
                .as("the second is not kept yet")
                .isEqualTo(1);
        writing.completeExceptionally(new UncheckedIOException(new IOException("No space left on device")));
        assertThatThrownBy(work::settle)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("No space left on device");
        work.settle(); // it is told once
        assertThat(work.resume(Stages.SFT, new Steps()).step()).isEqualTo(1);
        train(work, new Steps(), Stages.SFT, 3);
        assertThat(WorkDirectory.unfinished(scratch)
                        .get(0)
                        .resume(Stages.SFT, new Steps())
                        .step())
                .isEqualTo(3);
    }

    @Test
    void aRoundThatWasGivenUpDoesNotGoOnAfterARestart() throws IOException {
        WorkDirectory work = WorkDirectory.begin(scratch, plan());
        work.giveUp();
        assertThat(work.plan()).isEqualTo(plan());
        assertThat(WorkDirectory.unfinished(scratch)).isEmpty();
        assertThat(work.path()).doesNotExist();
    }

    @Test
    void aDamagedFileOfARoundIsNeverUsed() throws IOException {
        Random random = new Random(20_261_129);
        for (int i = 0; i < 100; i++) {
            Path rounds = Files.createDirectory(scratch.resolve("rounds-" + i));
            WorkDirectory work = WorkDirectory.begin(rounds, plan());
            work.record(new MicroBatch(2, 2, 1024, 1024, false));
            work.keepReferences("preference", List.of(new double[] {-1.5, -2.25}));
            work.failed();
            train(work, new Steps(), Stages.SFT, 2);
            List<Path> files;
            try (Stream<Path> paths = Files.list(work.path())) {
                files = paths.sorted().toList();
            }
            Path file = files.get(random.nextInt(files.size()));
            byte[] bytes = Files.readAllBytes(file);
            boolean cut = random.nextInt(4) == 0;
            int at = random.nextInt(bytes.length);
            if (cut) {
                bytes = Arrays.copyOf(bytes, at);
            } else {
                bytes[at] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(file, bytes);

            String what = "seed 20261129, case " + i + ": " + file.getFileName() + " at byte " + at;
            List<WorkDirectory> found = WorkDirectory.unfinished(rounds);
            if (file.getFileName().toString().equals("plan.json")) {
                assertThat(found).as(what).isEmpty();
                assertThat(rounds).as(what).isEmptyDirectory();
                continue;
            }
            WorkDirectory resumed = found.get(0);
            Steps weights = new Steps();
            Saved saved = resumed.resume(Stages.SFT, weights);
            switch (file.getFileName().toString()) {
                case "position.json", "state-sft-2.safetensors", "micro-batch.json" -> {
                    assertThat(saved).as(what).isEqualTo(Saved.NONE);
                    assertThat(weights.step).as(what).isZero();
                }
                default -> assertThat(saved.step()).as(what).isEqualTo(2);
            }
            assertThat(resumed.references("preference", 1).isPresent())
                    .as(what)
                    .isEqualTo(!file.getFileName().toString().startsWith("references")
                            && !file.getFileName().toString().equals("micro-batch.json"));
            train(resumed, new Steps(), Stages.SFT, 3); // and the round goes on
            assertThat(resumed.resume(Stages.SFT, weights).step()).as(what).isEqualTo(3);
        }
    }
}
