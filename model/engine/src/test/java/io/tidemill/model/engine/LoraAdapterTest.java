package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LoraAdapterTest {
    private static final ModelConfig TINY = Fixtures.TINY;
    private static final LoraConfig ALL = LoraConfig.of(4, 8);
    private static final int[] IDS = {5, 17, 40, 8, 8, 33, 21, 54, 3};

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    // ---- what an adapter is -----------------------------------------------------------------------------------------

    /** Uniform in ±1/√32: the largest of 128 is near it, the mean near 0, the variance a third of its square. */
    @Test
    void aNewAdapterBeginsAsPeftsDo() {
        try (LoraAdapter adapter = LoraAdapter.initial(LoraConfig.of(64, 8), TINY, 7);
                LoraAdapter same = LoraAdapter.initial(LoraConfig.of(64, 8), TINY, 7);
                LoraAdapter other = LoraAdapter.initial(LoraConfig.of(64, 8), TINY, 8)) {
            String layer = "base_model.model.model.layers.1.self_attn.k_proj.lora_";
            float[] a = adapter.weights(layer + "A.weight");
            assertThat(a).hasSize(64 * 32);
            double bound = 1 / Math.sqrt(32);
            double sum = 0;
            double squares = 0;
            double largest = 0;
            for (float value : a) {
                sum += value;
                squares += value * value;
                largest = Math.max(largest, Math.abs(value));
            }
            assertThat(largest).isBetween(0.99 * bound, bound);
            assertThat(sum / a.length).isCloseTo(0, within(0.05 * bound));
            assertThat(squares / a.length).isCloseTo(bound * bound / 3, within(0.02 * bound * bound));
            assertThat(adapter.weights(layer + "B.weight")).hasSize(16 * 64).containsOnly(0);
            assertThat(same.digest()).isEqualTo(adapter.digest());
            assertThat(other.digest()).isNotEqualTo(adapter.digest());
        }
    }

    @ParameterizedTest
    @EnumSource(ComputeType.class)
    void aNewAdapterChangesNothing(ComputeType type) {
        try (LanguageModel base = LanguageModel.random(TINY, 3, type);
                LoraAdapter adapter = LoraAdapter.initial(ALL, TINY, 7);
                LanguageModel merged = adapter.mergedInto(base)) {
            assertThat(adapter.logits(base, IDS)).isDeepEqualTo(base.logits(IDS));
            assertThat(merged.digest()).isEqualTo(base.digest());
        }
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void scoringApartIsScoringMerged(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        List<int[]> texts = List.of(IDS, new int[] {4, 5}, new int[] {9, 8, 7, 6, 5, 4});
        try (LanguageModel base = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                LoraAdapter adapter = trained(base, ALL);
                LanguageModel merged = adapter.mergedInto(base)) {
            List<float[]> apart = adapter.logProbabilities(base, texts);
            List<float[]> together = merged.logProbabilities(texts);
            List<float[]> without = base.logProbabilities(texts);
            for (int i = 0; i < texts.size(); i++) {
                assertThat(apart.get(i)).containsExactly(together.get(i), within(1e-4f));
            }
            assertThat(apart.get(0)).isNotEqualTo(without.get(0));
            assertThat(Math.abs(apart.get(0)[3] - without.get(0)[3])).isGreaterThan(0.01f);
        }
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void mergingLeavesTheBaseAloneAndCanBeTakenBack(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        try (LanguageModel base = LanguageModel.random(config, 3, ComputeType.best());
                LoraAdapter adapter = trained(base, ALL)) {
            String before = base.digest();
            try (LanguageModel merged = adapter.mergedInto(base);
                    LanguageModel again = adapter.takenOutOf(merged)) {
                assertThat(base.digest()).isEqualTo(before).isNotEqualTo(merged.digest());
                for (Layout.Slot slot : new Layout(config).slots()) {
                    assertThat(again.weights(slot.name()))
                            .as(slot.name())
                            .containsExactly(base.weights(slot.name()), within(1e-6f));
                }
                assertThat(merged.computeType()).isEqualTo(base.computeType());
            }
        }
    }

    @Test
    void anAdapterOnAModelOfAnotherShapeIsRefused() {
        ModelConfig gpt2 = Fixtures.tiny(Family.GPT2, 64);
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                LoraAdapter adapter = LoraAdapter.initial(ALL, gpt2, 1)) {
            assertThatThrownBy(() -> adapter.mergedInto(base)).hasMessageContaining("family=GPT2");
            assertThatThrownBy(() -> adapter.logits(base, IDS)).hasMessageContaining("family=LLAMA");
            assertThatThrownBy(() -> TrainableAdapter.from(base, adapter, AdamWSettings.defaults()))
                    .hasMessageContaining("family=GPT2");
        }
    }

    // ---- learning ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(Family.class)
    void examplesThatShareARowTrainAnAdapterAsIfTheyWereAlone(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        int[][] examples = {{5, 6, 7, 8, 9, 4, 3}, {10, 11, 12}, {13, 14, 15, 16}};
        PackedBatch packed = TrainingTest.pack(16, examples);
        try (LanguageModel base = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                LoraAdapter start = trained(base, ALL);
                TrainableAdapter together = TrainableAdapter.from(base, start, AdamWSettings.defaults());
                TrainableAdapter alone = TrainableAdapter.from(base, start, AdamWSettings.defaults())) {
            double loss = 0;
            for (int[] example : examples) {
                loss += alone.accumulate(TrainingTest.pack(example.length, example), packed.lossTokens());
            }
            assertThat(together.accumulate(packed, packed.lossTokens())).isCloseTo(loss, within(1e-5));
            for (String name : tensors(ALL, config)) {
                assertThat(together.gradient(name)).as(name).containsExactly(alone.gradient(name), within(1e-4f));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void recomputedActivationsGiveAnAdapterTheSameGradients(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        String one = family == Family.GPT2 ? "c_attn" : "v_proj";
        PackedBatch packed = TrainingTest.pack(40, new int[] {5, 6, 7, 8, 9, 4, 3}, new int[] {10, 11, 12, 31, 44});
        for (LoraConfig lora : List.of(ALL, ALL.on(List.of(one)))) {
            for (ComputeType type : ComputeType.values()) {
                try (LanguageModel base = LanguageModel.random(config, 3, type);
                        LoraAdapter start = trained(base, lora);
                        TrainableAdapter kept = TrainableAdapter.from(base, start, AdamWSettings.defaults());
                        TrainableAdapter again = TrainableAdapter.from(base, start, AdamWSettings.defaults())) {
                    again.recomputeActivations(true);
                    assertThat(again.accumulate(packed, packed.lossTokens()))
                            .isEqualTo(kept.accumulate(packed, packed.lossTokens()));
                    for (String name : tensors(lora, config)) {
                        assertThat(again.gradient(name)).as(name).containsExactly(kept.gradient(name), within(1e-6f));
                    }
                    assertThat(again.clip(1)).isPositive();
                }
            }
        }
    }

    /** 300 targets are more than the loss takes at once, and bfloat16 attends in pieces. */
    @ParameterizedTest
    @CsvSource({"LLAMA, 1", "MISTRAL, 3", "QWEN2, 1", "QWEN3, 3", "GPT2, 2"})
    void bfloat16GradientsOfAnAdapterPointWhereFloat32OnesDo(Family family, int examples) {
        ModelConfig longer = Fixtures.tiny(family, 320);
        int[][] parts = new int[examples][300 / examples];
        for (int e = 0; e < examples; e++) {
            Arrays.setAll(parts[e], t -> 3 + (t * t + 7 * t) % 53);
        }
        PackedBatch batch = TrainingTest.pack(310, parts);
        try (LanguageModel wide = LanguageModel.random(longer, 3, ComputeType.FLOAT32);
                LanguageModel narrow = LanguageModel.random(longer, 3, ComputeType.BFLOAT16);
                LoraAdapter start = trained(wide, ALL);
                TrainableAdapter exact = TrainableAdapter.from(wide, start, AdamWSettings.defaults());
                TrainableAdapter rounded = TrainableAdapter.from(narrow, start, AdamWSettings.defaults())) {
            double loss = exact.accumulate(batch, batch.lossTokens());
            assertThat(rounded.accumulate(batch, batch.lossTokens())).isCloseTo(loss, within(0.005 * loss));
            for (String name : tensors(ALL, longer)) {
                assertThat(TrainingTest.cosine(exact.gradient(name), rounded.gradient(name)))
                        .as(name)
                        .isGreaterThan(0.99);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ComputeType.class)
    void aResumedAdapterIsTheSameBitForBit(ComputeType type, @TempDir Path directory) {
        Path file = directory.resolve("state.safetensors");
        AdamWSettings settings = AdamWSettings.defaults();
        try (LanguageModel base = LanguageModel.random(TINY, 3, type);
                TrainableAdapter straight = TrainableAdapter.from(base, ALL, 1, settings);
                TrainableAdapter stopped = TrainableAdapter.from(base, ALL, 1, settings);
                TrainableAdapter resumed = TrainableAdapter.from(base, ALL, 99, settings)) {
            List<Double> losses = train(straight, 0, 6);
            assertThat(losses.get(4)).isLessThan(losses.get(0)); // batches alternate: 0 and 4 are one
            train(stopped, 0, 3);
            stopped.saveState(file);
            resumed.loadState(file);
            assertThat(resumed.steps()).isEqualTo(3);
            assertThat(train(resumed, 3, 6)).isEqualTo(losses.subList(3, 6));
            try (LoraAdapter first = straight.snapshot();
                    LoraAdapter second = resumed.snapshot()) {
                assertThat(second.digest()).isEqualTo(first.digest());
            }
        }
    }

    @Test
    void theStateOfAnotherAdapterOrAnotherBaseIsRefusedAndChangesNothing(@TempDir Path directory) {
        Path file = directory.resolve("state.safetensors");
        AdamWSettings settings = AdamWSettings.defaults();
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                LanguageModel otherBase = LanguageModel.random(TINY, 4, ComputeType.FLOAT32);
                TrainableAdapter saved = TrainableAdapter.from(base, ALL, 1, settings);
                TrainableAdapter larger = TrainableAdapter.from(base, LoraConfig.of(5, 8), 1, settings);
                TrainableAdapter elsewhere = TrainableAdapter.from(otherBase, ALL, 1, settings);
                LoraAdapter before = elsewhere.snapshot()) {
            train(saved, 0, 1);
            saved.saveState(file);
            assertThatThrownBy(() -> larger.loadState(file))
                    .hasMessageContaining("r=4")
                    .hasMessageContaining("r=5");
            assertThatThrownBy(() -> elsewhere.loadState(file))
                    .hasMessageContaining(base.digest())
                    .hasMessageContaining(otherBase.digest());
            try (LoraAdapter after = elsewhere.snapshot()) {
                assertThat(after.digest()).isEqualTo(before.digest());
            }
        }
    }

    @Test
    void discardedGradientsOfAnAdapterLeaveNoTrace() {
        PackedBatch batch = Fixtures.randomBatch(TINY, 1, 2, 12);
        AdamWSettings settings = AdamWSettings.defaults();
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.best());
                TrainableAdapter spoilt = TrainableAdapter.from(base, ALL, 1, settings);
                TrainableAdapter clean = TrainableAdapter.from(base, ALL, 1, settings)) {
            spoilt.accumulate(batch, batch.lossTokens());
            spoilt.spoilGradient(Float.NaN);
            assertThat(spoilt.clip(1)).isNaN();
            spoilt.discardGradients();
            assertThat(train(spoilt, 0, 3)).isEqualTo(train(clean, 0, 3));
        }
    }

    /** Where the adapter changes nothing yet, policy and reference are one: no reward, and a loss of ln 2. */
    @Test
    void preferencesMoveTheAdapterAwayFromItsFrozenStart() {
        int[][] answers = {{5, 6, 7, 8}, {5, 6, 9, 10}};
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                TrainableAdapter trainable = TrainableAdapter.from(base, ALL, 1, AdamWSettings.defaults())) {
            List<float[]> p = base.logProbabilities(List.of(answers));
            Fixtures.Dpo pair = Fixtures.dpo(
                    AnswersTest.text(new int[] {5, 6}, new int[] {7, 8}, new int[] {9, 10}),
                    p.get(0)[1] + p.get(0)[2],
                    p.get(1)[1] + p.get(1)[2]);
            assertThat(trainable.accumulate(pair.texts(), pair)).isCloseTo(Math.log(2), within(1e-6));
            assertThat(pair.rewards()[0][0]).isCloseTo(0, within(1e-6));
            for (int step = 0; step < 20; step++) {
                trainable.update(3e-3);
                trainable.accumulate(pair.texts(), pair);
            }
            trainable.accumulate(pair.texts(), pair);
            assertThat(pair.rewards()[0][0] - pair.rewards()[0][1]).isGreaterThan(0.05);
        }
    }

    @Test
    void trainingWithDropoutIsRefused() {
        LoraConfig dropout = new LoraConfig(
                4,
                8,
                false,
                List.of(),
                List.of(),
                Map.of(),
                Map.of(),
                0.05,
                java.util.Optional.empty(),
                java.util.Optional.empty());
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                LoraAdapter adapter = LoraAdapter.initial(dropout, TINY, 1)) {
            assertThat(adapter.logits(base, IDS)).isDeepEqualTo(base.logits(IDS)); // reading is fine
            assertThatThrownBy(() -> TrainableAdapter.from(base, adapter, AdamWSettings.defaults()))
                    .hasMessageContaining("lora_dropout is 0.05");
        }
    }

    // ---- files ------------------------------------------------------------------------------------------------------

    @Test
    void aSavedAdapterIsThere(@TempDir Path directory) throws IOException {
        Path target = directory.resolve("adapter");
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.best());
                LoraAdapter adapter = trained(base, ALL.withBaseModel("someone/model"))) {
            adapter.save(target, base);
            assertThat(files(directory)).containsExactly(target);
            try (LoraAdapter loaded = LoraAdapter.load(target, TINY)) {
                assertThat(loaded.digest()).isEqualTo(adapter.digest());
                assertThat(loaded.config().baseModel()).contains("someone/model");
            }
            assertThatThrownBy(() -> adapter.save(target, base))
                    .hasMessageContaining(target.toString())
                    .hasMessageContaining("exists already");
        }
    }

    /** α read back as 16 instead of 8 doubles what the adapter does: files that read well and say something else. */
    @Test
    void anAdapterThatReadsBackAsAnotherIsNotPublished(@TempDir Path directory) throws IOException {
        Path target = directory.resolve("adapter");
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.best());
                LoraAdapter adapter = trained(base, ALL)) {
            double[] largest = {0};
            LoraConfig doubled = LoraConfig.of(4, 16);
            assertThatThrownBy(() -> adapter.save(
                            target,
                            base,
                            aside -> Files.writeString(aside.resolve("adapter_config.json"), doubled.toJson(TINY))))
                    .isInstanceOf(IllegalStateException.class)
                    .satisfies(error -> largest[0] =
                            Double.parseDouble(error.getMessage().replaceAll(".*up to ([0-9.E-]+),.*", "$1")))
                    .hasMessageContaining("1.0E-4");
            assertThat(largest[0]).isBetween(0.01, 100.0);
            assertThat(files(directory)).isEmpty();
        }
    }

    @Test
    void anAdapterWhoseLogitsAreNotNumbersIsNotPublished(@TempDir Path directory) throws IOException {
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.best());
                TrainableAdapter trainable = TrainableAdapter.from(base, ALL, 1, AdamWSettings.defaults())) {
            trainable.spoilGradient(Float.NaN);
            trainable.update(1e-3);
            try (LoraAdapter adapter = trainable.snapshot()) {
                assertThatThrownBy(() -> adapter.save(directory.resolve("adapter"), base))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("NaN");
            }
            assertThat(files(directory)).isEmpty();
        }
    }

    @Test
    void filesThatDoNotFitTheirConfigurationAreRefusedByTensor(@TempDir Path directory) throws IOException {
        try (LanguageModel base = LanguageModel.random(TINY, 3, ComputeType.FLOAT32);
                LoraAdapter adapter = trained(base, ALL.on(List.of("q_proj")))) {
            adapter.save(directory.resolve("adapter"), base);
        }
        Path config = directory.resolve("adapter").resolve("adapter_config.json");
        Files.writeString(config, ALL.on(List.of("q_proj", "v_proj")).toJson(TINY));
        assertThatThrownBy(() -> LoraAdapter.load(config.getParent(), TINY))
                .hasMessageContaining("base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight is missing");
        Files.writeString(config, ALL.on(List.of("layers.1.self_attn.q_proj")).toJson(TINY));
        assertThatThrownBy(() -> LoraAdapter.load(config.getParent(), TINY))
                .hasMessageContaining("layers.0.self_attn.q_proj.lora_A.weight")
                .hasMessageContaining("no place by adapter_config.json");
        Files.writeString(config, LoraConfig.of(5, 8).on(List.of("q_proj")).toJson(TINY));
        assertThatThrownBy(() -> LoraAdapter.load(config.getParent(), TINY))
                .hasMessageContaining("must have shape (5, 32) by adapter_config.json, but has (4, 32)");
    }

    @Test
    void anAdapterInAPickleIsRefused(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("adapter_config.json"), ALL.toJson(TINY));
        Files.write(directory.resolve("adapter_model.bin"), new byte[] {1});
        assertThatThrownBy(() -> LoraAdapter.load(directory, TINY))
                .hasMessageContaining("adapter_model.bin is a pickle");
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    // ---- helpers ----------------------------------------------------------------------------------------------------

    static LoraAdapter trained(LanguageModel base, LoraConfig config) {
        try (TrainableAdapter trainable = TrainableAdapter.from(base, config, 5, AdamWSettings.defaults())) {
            for (int step = 0; step < 4; step++) {
                PackedBatch batch = Fixtures.randomBatch(base.config(), step, 2, 12);
                trainable.accumulate(batch, batch.lossTokens());
                trainable.update(1e-2);
            }
            return trainable.snapshot();
        }
    }

    private static List<String> tensors(LoraConfig config, ModelConfig base) {
        return new Layout(base, config.modules(base))
                .slots().stream().map(Layout.Slot::name).toList();
    }

    private static List<Double> train(TrainableAdapter trainable, int from, int to) {
        List<Double> losses = new ArrayList<>();
        for (int step = from; step < to; step++) {
            PackedBatch batch = Fixtures.randomBatch(TINY, step % 2, 2, 12);
            losses.add(trainable.accumulate(batch, batch.lossTokens()));
            trainable.clip(1);
            trainable.update(1e-2);
        }
        return losses;
    }
}
