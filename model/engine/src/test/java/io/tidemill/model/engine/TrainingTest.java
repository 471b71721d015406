package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TrainingTest {
    private static final ModelConfig TINY = Fixtures.TINY;
    private static final int IGNORED = PackedBatch.IGNORED;

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void examplesThatShareARowTrainAsIfTheyWereAlone(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        int[][] examples = {{5, 6, 7, 8, 9, 4, 3}, {10, 11, 12}, {13, 14, 15, 16}};
        PackedBatch packed = pack(16, examples);
        assertThat(packed.oneExamplePerRow()).isFalse();
        try (LanguageModel model = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                TrainableModel together = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel alone = TrainableModel.from(model, AdamWSettings.defaults())) {
            double packedLoss = together.accumulate(packed, packed.lossTokens());
            double loss = 0;
            for (int[] example : examples) {
                PackedBatch single = pack(example.length, example);
                assertThat(single.oneExamplePerRow()).isTrue();
                loss += alone.accumulate(single, packed.lossTokens());
            }
            assertThat(packedLoss).isCloseTo(loss, within(1e-5));
            assertSameGradients(together, alone, 1e-4f);
        }
    }

    @Test
    void paddingBehindAnExampleChangesNothing() {
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableModel padded = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel exact = TrainableModel.from(model, AdamWSettings.defaults())) {
            int[] example = {5, 6, 7, 8, 9};
            double loss = padded.accumulate(pack(12, example), 4);
            assertThat(loss).isCloseTo(exact.accumulate(pack(5, example), 4), within(1e-5));
            assertSameGradients(padded, exact, 1e-5f);
        }
    }

    @Test
    void preferenceTrainingMovesTheModelTowardsTheChosenAnswer() {
        Fixtures.Dpo pair = Fixtures.dpo(AnswersTest.text(new int[] {5, 6}, new int[] {7, 8}, new int[] {9, 10}), 0, 0);
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.best());
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            double before = margin(model);
            for (int step = 0; step < 5; step++) {
                trainable.accumulate(pair.texts(), pair);
                trainable.update(1e-3);
            }
            try (LanguageModel after = trainable.snapshot(ComputeType.best())) {
                assertThat(margin(after)).isGreaterThan(before + 0.5);
            }
        }
    }

    private static double margin(LanguageModel model) {
        List<float[]> p = model.logProbabilities(List.of(new int[] {5, 6, 7, 8}, new int[] {5, 6, 9, 10}));
        return p.get(0)[1] + p.get(0)[2] - p.get(1)[1] - p.get(1)[2];
    }

    @ParameterizedTest
    @EnumSource(ComputeType.class)
    void aResumedRunIsTheSameBitForBit(ComputeType type, @TempDir Path directory) {
        Path file = directory.resolve("state.safetensors");
        try (LanguageModel model = LanguageModel.random(TINY, 3, type);
                TrainableModel straight = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel stopped = TrainableModel.from(model, AdamWSettings.defaults());
                LanguageModel other = LanguageModel.random(TINY, 99, type);
                TrainableModel resumed = TrainableModel.from(other, AdamWSettings.defaults())) {
            train(straight, 0, 6);
            train(stopped, 0, 3);
            stopped.saveState(file);
            resumed.loadState(file);
            assertThat(resumed.steps()).isEqualTo(3);
            List<Double> losses = train(resumed, 3, 6);
            assertThat(losses).isEqualTo(train(stopped, 3, 6));
            try (LanguageModel first = straight.snapshot(type);
                    LanguageModel second = resumed.snapshot(type)) {
                assertThat(second.digest()).isEqualTo(first.digest()).isNotEqualTo(model.digest());
            }
        }
    }

    @Test
    void aStateThatIsWrittenBehindIsThatOfItsMomentHoweverSoonTheNextStepComes(@TempDir Path directory)
            throws IOException {
        ModelConfig large = new ModelConfig(4096, 256, 512, 2, 4, 4, 64, 64, 10_000, 1e-5, true, 0.02, 0, List.of(1));
        PackedBatch batch = pack(12, new int[] {5, 6, 7, 8, 9});
        Path now = directory.resolve("now");
        Path behind = directory.resolve("behind");
        try (LanguageModel model = LanguageModel.random(large, 3, ComputeType.FLOAT32)) {
            TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults());
            trainable.accumulate(batch, batch.lossTokens());
            trainable.update(0.1);
            trainable.accumulate(batch, batch.lossTokens());
            String digest = trainable.saveState(now);
            assertThat(now).hasDigest("SHA-256", digest);
            CompletableFuture<String> first = trainable.saveStateBehind(behind);
            trainable.update(0.1);
            assertThat(first.join()).isEqualTo(digest);
            assertThat(behind).hasSameBinaryContentAs(now);

            trainable.saveState(now);
            CompletableFuture<String> second = trainable.saveStateBehind(behind);
            trainable.close();
            second.join();
            assertThat(behind).hasSameBinaryContentAs(now);
        }
    }

    @Test
    void aStateThatCannotBeWrittenBehindHoldsNothingUp(@TempDir Path directory) {
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            CompletableFuture<String> nowhere =
                    trainable.saveStateBehind(directory.resolve("absent").resolve("state"));
            assertThat(train(trainable, 0, 2)).hasSize(2);
            assertThatThrownBy(nowhere::join)
                    .cause()
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("Cannot write training state to");
        }
    }

    @Test
    void theStateOfAnotherShapeIsRefusedAndChangesNothing(@TempDir Path directory) {
        ModelConfig wider = new ModelConfig(61, 32, 64, 2, 4, 2, 8, 64, 10_000, 1e-5, true, 0.2, 1, List.of(2));
        Path file = directory.resolve("state.safetensors");
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                LanguageModel otherModel = LanguageModel.random(wider, 3, ComputeType.FLOAT32);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel other = TrainableModel.from(otherModel, AdamWSettings.defaults())) {
            other.saveState(file);
            assertThatThrownBy(() -> trainable.loadState(file))
                    .hasMessageContaining("intermediate=64")
                    .hasMessageContaining("intermediate=48");
            try (LanguageModel after = trainable.snapshot(ComputeType.FLOAT32)) {
                assertThat(after.digest()).isEqualTo(model.digest());
            }
        }
    }

    /** A token that weighs two counts as if its example had come twice. */
    @Test
    void theLossOfAnExampleCountsAsMuchAsItsWeight() {
        PackedBatch heavy = pack(6, new int[] {5, 6, 7, 8, 9});
        PackedBatch light = pack(6, new int[] {9, 3, 11, 2, 4});
        PackedBatch both = new PackedBatch(
                new int[][] {heavy.ids()[0], light.ids()[0]},
                new int[][] {heavy.targets()[0], light.targets()[0]},
                new int[][] {heavy.segments()[0], light.segments()[0]},
                new float[][] {{2, 2, 2, 2, 2, 2}, {1, 1, 1, 1, 1, 1}});
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableModel weighed = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel repeated = TrainableModel.from(model, AdamWSettings.defaults())) {
            double loss = weighed.accumulate(both, 12);
            double onceEach = repeated.accumulate(heavy, 12);
            repeated.accumulate(heavy, 12);
            onceEach += repeated.accumulate(light, 12);
            assertThat(loss).isCloseTo(onceEach, within(1e-6)); // the loss is told as it is
            assertSameGradients(weighed, repeated, 1e-5f);
        }
    }

    /** θ ← θ − ηλ(θ − θ₀) beside AdamW's step: worked out here for every weight. */
    @Test
    void anAnchorPullsEveryWeightBackByItsShareOfTheWay() {
        PackedBatch batch = Fixtures.randomBatch(TINY, 1, 2, 12);
        double rate = 0.01;
        double strength = 5;
        try (LanguageModel start = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                LanguageModel elsewhere = LanguageModel.random(TINY, 4, ComputeType.FLOAT32);
                TrainableModel free = TrainableModel.from(start, AdamWSettings.defaults());
                TrainableModel held = TrainableModel.from(start, AdamWSettings.defaults())) {
            held.anchor(elsewhere, strength);
            for (TrainableModel model : List.of(free, held)) {
                model.accumulate(batch, batch.lossTokens());
                model.update(rate);
            }
            float[] before = values(start);
            float[] anchor = values(elsewhere);
            try (LanguageModel freely = free.snapshot(ComputeType.FLOAT32);
                    LanguageModel pulled = held.snapshot(ComputeType.FLOAT32)) {
                float[] alone = values(freely);
                float[] together = values(pulled);
                for (int i = 0; i < before.length; i++) {
                    double way = rate * strength * (anchor[i] - before[i]);
                    assertThat((double) together[i]).isCloseTo(alone[i] + way, within(1e-4));
                }
            }
            // and without a step away from it, it is where the weights end
            held.anchor(elsewhere, 1 / rate);
            held.discardGradients();
            held.update(rate);
            try (LanguageModel there = held.snapshot(ComputeType.FLOAT32)) {
                assertThat(values(there)[7]).isCloseTo(anchor[7], within(0.05f));
            }
            assertThatThrownBy(() -> held.anchor(elsewhere, -1)).hasMessageContaining("but was -1.0");
        }
    }

    private static float[] values(LanguageModel model) {
        float[] all = new float[Math.toIntExact(model.held().layout().length())];
        model.held().master().read(0, all, all.length);
        return all;
    }

    /** The divergence is compared with Σ p₀ (log p₀ − log p) over logits, its gradients with differences of the loss. */
    @Test
    void aHoldOnWhatTheModelSaysAddsTheDivergenceOfItsNextTokens() {
        PackedBatch batch = pack(9, new int[] {5, 6, 7, 8, 9, 4}, new int[] {10, 11, 12});
        double strength = 3;
        try (LanguageModel start = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                LanguageModel other = LanguageModel.random(TINY, 4, ComputeType.FLOAT32);
                TrainableModel held = TrainableModel.from(start, AdamWSettings.defaults())) {
            held.holdSpeech(other, strength);
            double before = heldLoss(held, batch, strength);
            double expected = 0;
            for (int[] text : new int[][] {{5, 6, 7, 8, 9, 4}, {10, 11, 12}}) {
                for (int t = 0; t < text.length - 1; t++) {
                    expected += divergence(logits(other, text, t), logits(start, text, t));
                }
            }
            assertThat(held.divergence().orElseThrow()).isCloseTo(expected / 7, within(1e-4));
            assertThat(expected / 7).isGreaterThan(0.01);

            // one small step against the gradient: the loss falls by the square of its norm
            double norm = normOfGradients(held);
            float[] weights = values(start);
            float[] gradient = new float[weights.length];
            for (Layout.Slot slot : new Layout(TINY).slots()) {
                float[] part = held.gradient(slot.name());
                System.arraycopy(part, 0, gradient, Math.toIntExact(slot.at()), part.length);
            }
            double length = 1e-3;
            float[] moved = new float[weights.length];
            for (int i = 0; i < weights.length; i++) {
                moved[i] = (float) (weights[i] - length * gradient[i] / norm);
            }
            start.held().master().write(0, moved, moved.length);
            try (TrainableModel there = TrainableModel.from(start, AdamWSettings.defaults())) {
                there.holdSpeech(other, strength);
                assertThat((before - heldLoss(there, batch, strength)) / length).isCloseTo(norm, within(0.05 * norm));
            }
            start.held().master().write(0, weights, weights.length);

            held.discardGradients();
            held.holdSpeech(start, strength); // of itself it is not far
            heldLoss(held, batch, strength);
            assertThat(held.divergence().orElseThrow()).isCloseTo(0, within(1e-6));
            held.holdSpeech(other, 0);
            assertThat(held.divergence()).isEmpty();
        }
    }

    private static double heldLoss(TrainableModel model, PackedBatch batch, double strength) {
        double loss = model.accumulate(batch, batch.lossTokens());
        return loss + strength * model.divergence().orElseThrow();
    }

    private static double divergence(double[] of, double[] from) {
        double sum = 0;
        for (int v = 0; v < of.length; v++) {
            sum += Math.exp(of[v]) * (of[v] - from[v]);
        }
        return sum;
    }

    /** log p of every token that may come after the one at {@code t}. */
    private static double[] logits(LanguageModel model, int[] text, int t) {
        int[] prefix = Arrays.copyOf(text, t + 2);
        double[] all = new double[TINY.vocabularySize()];
        for (int v = 0; v < all.length; v++) {
            prefix[t + 1] = v;
            all[v] = model.logProbabilities(List.of(prefix)).get(0)[t];
        }
        return all;
    }

    @Test
    void discardedGradientsLeaveNoTraceEvenIfTheyWereNotNumbers() {
        PackedBatch batch = Fixtures.randomBatch(TINY, 1, 2, 12);
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.best());
                TrainableModel spoilt = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel clean = TrainableModel.from(model, AdamWSettings.defaults())) {
            spoilt.accumulate(batch, batch.lossTokens());
            spoilt.spoilGradient(Float.NaN);
            assertThat(spoilt.clip(1)).isNaN();
            spoilt.discardGradients();
            try (LanguageModel untouched = spoilt.snapshot(ComputeType.FLOAT32)) {
                assertThat(untouched.digest()).isEqualTo(model.digest());
            }
            assertThat(train(spoilt, 0, 3)).isEqualTo(train(clean, 0, 3));
            try (LanguageModel first = spoilt.snapshot(ComputeType.FLOAT32);
                    LanguageModel second = clean.snapshot(ComputeType.FLOAT32)) {
                assertThat(first.digest()).isEqualTo(second.digest());
            }
        }
    }

    /** The norm is computed in pieces of 4,096 and a rest: both must count, and both must be scaled. */
    @Test
    void clippingSeesAllGradientsAndBringsTheirNormToTheMaximum() {
        PackedBatch batch = Fixtures.randomBatch(TINY, 1, 2, 12);
        assertThat(new Layout(TINY).length()).isGreaterThan(4096);
        assertThat(new Layout(TINY).length() % 4096).isPositive();
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            trainable.accumulate(batch, batch.lossTokens());
            double norm = normOfGradients(trainable);
            assertThat(trainable.clip(norm / 4)).isCloseTo(norm, within(1e-6 * norm));
            assertThat(normOfGradients(trainable)).isCloseTo(norm / 4, within(1e-4 * norm));
        }
    }

    private static double normOfGradients(TrainableModel trainable) {
        double squares = 0;
        for (Layout.Slot slot : new Layout(trainable.config()).slots()) {
            for (float g : trainable.gradient(slot.name())) {
                squares += (double) g * g;
            }
        }
        return Math.sqrt(squares);
    }

    @Test
    void trainingLeavesTheModelItStartedFromAlone() {
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.best())) {
            String before = model.digest();
            try (TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults());
                    LanguageModel snapshot = trainable.snapshot(ComputeType.best())) {
                train(trainable, 0, 2);
                assertThat(snapshot.digest()).isEqualTo(before);
            }
            assertThat(model.digest()).isEqualTo(before);
        }
    }

    @Test
    void bfloat16TrainsLikeFloat32() {
        List<Double> wide;
        List<Double> narrow;
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            wide = train(trainable, 0, 10);
        }
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.BFLOAT16);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            narrow = train(trainable, 0, 10);
        }
        assertThat(wide.get(9)).isLessThan(wide.get(0) - 0.3);
        for (int i = 0; i < wide.size(); i++) {
            assertThat(narrow.get(i)).as("loss of step " + i).isCloseTo(wide.get(i), within(0.02 * wide.get(i)));
        }
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void recomputedActivationsGiveTheSameGradients(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        PackedBatch packed = pack(40, new int[] {5, 6, 7, 8, 9, 4, 3, 12, 11}, new int[] {10, 11, 12, 31, 44, 7, 8});
        Fixtures.Dpo pair =
                Fixtures.dpo(AnswersTest.text(new int[] {5, 6}, new int[] {7, 8, 9, 10}, new int[] {9, 10}), -9, -4);
        for (ComputeType type : ComputeType.values()) {
            try (LanguageModel model = LanguageModel.random(config, 3, type);
                    TrainableModel kept = TrainableModel.from(model, AdamWSettings.defaults());
                    TrainableModel again = TrainableModel.from(model, AdamWSettings.defaults())) {
                again.recomputeActivations(true);
                assertThat(again.accumulate(packed, packed.lossTokens()))
                        .isEqualTo(kept.accumulate(packed, packed.lossTokens()));
                assertSameGradients(again, kept, 1e-6f);
                assertThat(again.accumulate(pair.texts(), pair)).isEqualTo(kept.accumulate(pair.texts(), pair));
                assertSameGradients(again, kept, 1e-6f);
                assertThat(again.clip(1)).isPositive();
            }
        }
    }

    /** In bfloat16 training attends in pieces of 128 queries, in float32 through libtorch's fused kernel. */
    @ParameterizedTest
    @CsvSource({"LLAMA, 1", "LLAMA, 3", "MISTRAL, 1", "MISTRAL, 3", "QWEN2, 1", "QWEN3, 2", "GPT2, 2"})
    void bfloat16GradientsPointWhereFloat32OnesDo(Family family, int examples) {
        ModelConfig longer = Fixtures.tiny(family, 320);
        int[][] parts = new int[examples][300 / examples];
        for (int e = 0; e < examples; e++) {
            Arrays.setAll(parts[e], t -> 3 + (t * t + 7 * t) % 53);
        }
        PackedBatch batch = pack(310, parts);
        try (LanguageModel wide = LanguageModel.random(longer, 3, ComputeType.FLOAT32);
                LanguageModel narrow = LanguageModel.random(longer, 3, ComputeType.BFLOAT16);
                TrainableModel exact = TrainableModel.from(wide, AdamWSettings.defaults());
                TrainableModel rounded = TrainableModel.from(narrow, AdamWSettings.defaults())) {
            double loss = exact.accumulate(batch, batch.lossTokens());
            assertThat(rounded.accumulate(batch, batch.lossTokens())).isCloseTo(loss, within(0.005 * loss));
            for (Layout.Slot slot : new Layout(longer).slots()) {
                // The bias of the keys moves all scores of a query alike, so its gradient is rounding alone.
                if (!slot.name().endsWith("k_proj.bias")) {
                    assertThat(cosine(exact.gradient(slot.name()), rounded.gradient(slot.name())))
                            .as(slot.name())
                            .isGreaterThan(0.995);
                }
            }
        }
    }

    static double cosine(float[] a, float[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return ab / Math.sqrt(aa * bb);
    }

    @Test
    void aBatchThatCannotBeRightIsRefusedWithItsNumbers() {
        try (LanguageModel model = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            assertThatThrownBy(() -> trainable.accumulate(pack(4, new int[] {5, 61, 7}), 2))
                    .hasMessageContaining("61");
            assertThatThrownBy(() -> trainable.accumulate(pack(65, new int[] {5, 6}), 1))
                    .hasMessageContaining("65")
                    .hasMessageContaining("64");
            assertThatThrownBy(() -> trainable.accumulate(pack(4, new int[] {5}), 1))
                    .hasMessageContaining("target");
            assertThatThrownBy(() -> trainable.accumulate(pack(4, new int[] {5, 6, 7}), 1))
                    .hasMessageContaining("1 tokens")
                    .hasMessageContaining("2");
            assertThatThrownBy(() -> new PackedBatch(new int[][] {{1, 2}}, new int[][] {{2}}, new int[][] {{1, 1}}))
                    .hasMessageContaining("Row 0");
        }
    }

    /** Examples one behind the other in one row, padded to {@code length}. */
    static PackedBatch pack(int length, int[]... examples) {
        int[] ids = new int[length];
        int[] targets = new int[length];
        int[] segments = new int[length];
        Arrays.fill(targets, IGNORED);
        int at = 0;
        for (int e = 0; e < examples.length; e++) {
            for (int t = 0; t < examples[e].length; t++, at++) {
                ids[at] = examples[e][t];
                segments[at] = e + 1;
                targets[at] = t + 1 < examples[e].length ? examples[e][t + 1] : IGNORED;
            }
        }
        return new PackedBatch(new int[][] {ids}, new int[][] {targets}, new int[][] {segments});
    }

    private static List<Double> train(TrainableModel trainable, int from, int to) {
        List<Double> losses = new ArrayList<>();
        for (int step = from; step < to; step++) {
            PackedBatch batch = Fixtures.randomBatch(TINY, step % 2, 2, 12);
            losses.add(trainable.accumulate(batch, batch.lossTokens()));
            trainable.clip(1);
            trainable.update(1e-2);
        }
        return losses;
    }

    private static void assertSameGradients(TrainableModel a, TrainableModel b, float tolerance) {
        for (Layout.Slot slot : new Layout(a.config()).slots()) {
            assertThat(a.gradient(slot.name()))
                    .as(slot.name())
                    .containsExactly(b.gradient(slot.name()), within(tolerance));
        }
    }
}
