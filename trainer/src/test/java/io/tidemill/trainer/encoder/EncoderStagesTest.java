package io.tidemill.trainer.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LabelWeights;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableEncoder;
import io.tidemill.model.engine.TrainableEncoderAdapter;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StageRunner;
import io.tidemill.trainer.stage.StageState;
import io.tidemill.trainer.stage.StepBatch;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EncoderStagesTest {
    private static final EncoderConfig MASKED =
            new EncoderConfig(61, 16, 32, 2, 2, 32, 2, 1e-12, 0.1, 0, EncoderConfig.Head.MASKED, List.of());
    private static final Masking MASKING = new Masking(0.3, 0.8, 0.1, false, 4, 61);

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    private static EncoderSettings settings(int texts, int epochs) {
        return new EncoderSettings(
                new OptimizerSettings(3e-3, 0.1, Decay.LINEAR, 1, 0.9, 0.999, 1e-8, 0.01), texts, 4, epochs);
    }

    private static EncoderInput input(int n) {
        Random random = new Random(n);
        int[] ids = new int[4 + random.nextInt(20)];
        ids[0] = 2;
        for (int t = 1; t < ids.length - 1; t++) {
            ids[t] = 5 + random.nextInt(20) + (n % 2 == 0 ? 0 : 30);
        }
        ids[ids.length - 1] = 3;
        return EncoderInput.of(ids);
    }

    /** Even ones are of label 0 and speak of the first half of the vocabulary; a score is 1 or −1. */
    private static List<EncoderExample> examples(Problem problem, int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(n -> {
                    String id = "mail " + n;
                    return switch (problem) {
                        case SINGLE -> EncoderExample.of(id, input(n), Set.of(n % 2));
                        case MULTIPLE -> EncoderExample.of(id, input(n), n % 2 == 0 ? Set.of(0, 2) : Set.of(1));
                        case SCORE -> EncoderExample.scored(id, input(n), n % 2 == 0 ? 1 : -1);
                    };
                })
                .toList();
    }

    private static EncoderModel start(Problem problem) {
        List<String> labels =
                switch (problem) {
                    case SINGLE -> List.of("ham", "spam");
                    case MULTIPLE -> List.of("a", "b", "c");
                    case SCORE -> List.of("score");
                };
        try (EncoderModel body = EncoderModel.random(MASKED, 1, ComputeType.FLOAT32)) {
            return body.withLabels(labels, problem, 1);
        }
    }

    private static List<MaskableText> maskable(int count) {
        List<MaskableText> texts = new ArrayList<>();
        for (int n = 0; n < count; n++) {
            EncoderInput input = input(n);
            int[] words = IntStream.range(0, input.ids().length)
                    .map(t -> t == 0 || t == input.ids().length - 1 ? -1 : t)
                    .toArray();
            texts.add(new MaskableText("text " + n, input, words));
        }
        return texts;
    }

    private static StageRunner runner(StageState state, List<StepReport> reports, long stopAfter) {
        return new StageRunner(
                state,
                new StepListener() {
                    @Override
                    public void before(Stage<?> stage, long step) {
                        if (step > stopAfter) {
                            throw new IllegalStateException("stopped");
                        }
                    }

                    @Override
                    public void after(Stage<?> stage, StepReport report) {
                        reports.add(report);
                    }
                },
                5,
                () -> 0);
    }

    /** Kept in a file, as rounds do. */
    private record FileState(Path file, long[] step) implements StageState {
        @Override
        public Saved resume(String stage, Learner learner) {
            if (step[0] == 0) {
                return Saved.NONE;
            }
            learner.loadState(file);
            return new Saved(step[0], Map.of());
        }

        @Override
        public void save(String stage, long at, Map<String, Double> memory, Learner learner) {
            learner.saveState(file);
            step[0] = at;
        }
    }

    // ---- layout -----------------------------------------------------------------------------------------------------

    @Test
    void everyEpochSeesEachExampleOnceInAnOrderOfItsOwnWhateverTheyCameIn() {
        List<EncoderExample> examples = new ArrayList<>(examples(Problem.SINGLE, 0, 45));
        EncoderConfig config = MASKED.withLabels(List.of("ham", "spam"));
        FixedStage<EncoderLearner> stage =
                LabelStage.of("labels", examples, config, LabelWeights.EQUAL, settings(8, 2), 7);
        assertThat(stage.steps()).isEqualTo(12); // 45 / 8, rounded up, twice
        List<List<String>> ids =
                stage.batches().stream().map(StepBatch::exampleIds).toList();
        for (int epoch = 0; epoch < 2; epoch++) {
            List<String> seen = ids.subList(6 * epoch, 6 * epoch + 6).stream()
                    .flatMap(List::stream)
                    .toList();
            assertThat(seen).hasSize(45);
            assertThat(new HashSet<>(seen)).hasSize(45);
        }
        assertThat(ids.subList(0, 6)).isNotEqualTo(ids.subList(6, 12));
        Collections.shuffle(examples, new Random(1));
        assertThat(LabelStage.of("labels", examples, config, LabelWeights.EQUAL, settings(8, 2), 7).batches().stream()
                        .map(StepBatch::exampleIds))
                .containsExactlyElementsOf(ids);
    }

    /** 400 texts of 4 to 23 tokens: by chance alone the longest of 8 is about 21, and a third of all places is padding. */
    @Test
    void batchesAreOfSimilarLengthAndStillShuffled() {
        List<MaskableText> texts = maskable(400);
        List<List<MaskableText>> batches = LengthBatches.of(texts, 8, 3, MaskableText::exampleId, MaskableText::length);
        double places = 0;
        double tokens = 0;
        List<Integer> longest = new ArrayList<>();
        for (List<MaskableText> batch : batches) {
            int most = batch.stream().mapToInt(MaskableText::length).max().orElseThrow();
            longest.add(most);
            places += most * batch.size();
            tokens += batch.stream().mapToInt(MaskableText::length).sum();
        }
        assertThat(tokens / places).isGreaterThan(0.95);
        assertThat(longest).isNotEqualTo(longest.stream().sorted().toList());
        assertThat(longest.subList(0, 10)).anyMatch(most -> most < 10).anyMatch(most -> most > 14);
    }

    @Test
    void masksOfAnEpochDifferFromThoseOfTheNextAndTokensAreTheMaskedOnes() {
        FixedStage<EncoderLearner> stage = MaskedStage.of("masked", maskable(20), MASKING, settings(20, 2), 1);
        assertThat(stage.steps()).isEqualTo(2);
        assertThat(stage.batches().get(0).tokens())
                .isNotEqualTo(stage.batches().get(1).tokens());
        assertThat(stage.batches().get(0).tokens()).isBetween(20L, 150L);
    }

    /** Of 6 texts, one a step, the 3 with label 0 weigh nothing. */
    @Test
    void aStepWhoseLabelsWeighNothingIsLeftOut() {
        FixedStage<EncoderLearner> stage = LabelStage.of(
                "labels",
                examples(Problem.SINGLE, 0, 6),
                MASKED.withLabels(List.of("ham", "spam")),
                new LabelWeights(List.of(0.0, 1.0)),
                settings(1, 1),
                1);
        assertThat(stage.batches().stream().flatMap(batch -> batch.exampleIds().stream()))
                .containsExactlyInAnyOrder("mail 1", "mail 3", "mail 5");
    }

    // ---- learning ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(Problem.class)
    void whatIsLearntIsFoundInTextsThatWereNotSeen(Problem problem) {
        List<EncoderExample> held = examples(problem, 100, 140);
        try (EncoderModel start = start(problem)) {
            FixedStage<EncoderLearner> stage = LabelStage.of(
                    "labels", examples(problem, 0, 60), start.config(), LabelWeights.EQUAL, settings(10, 8), 1);
            try (TrainableEncoder learner =
                    TrainableEncoder.from(start, stage.optimizer().adamW())) {
                EncoderEvaluation before = EncoderEvaluation.ofLabels(start.config(), held, learner::labelLogits);
                List<StepReport> reports = new ArrayList<>();
                new StageRunner(NOWHERE, listener(reports), 1000, () -> 0).run(stage, learner, CallSize.UNLIMITED);
                EncoderEvaluation after = EncoderEvaluation.ofLabels(start.config(), held, learner::labelLogits);
                assertThat(after.loss()).isLessThan(before.loss() / 2);
                StepReport last = reports.get(reports.size() - 1);
                if (problem == Problem.SCORE) {
                    assertThat(after.figures().get("pearson")).isGreaterThan(0.9);
                    assertThat(last.figures()).containsOnlyKeys("absolute_error");
                } else {
                    assertThat(after.figures().get("accuracy")).isGreaterThan(0.95);
                    assertThat(last.figures().get("accuracy")).isGreaterThan(0.9);
                }
                assertThat(after.losses()).hasSize(40);
            }
        }
    }

    @Test
    void anAdapterLearnsLabelsToo() {
        List<EncoderExample> held = examples(Problem.SINGLE, 100, 140);
        try (EncoderModel start = start(Problem.SINGLE)) {
            FixedStage<EncoderLearner> stage = LabelStage.of(
                    "labels", examples(Problem.SINGLE, 0, 60), start.config(), LabelWeights.EQUAL, settings(10, 8), 1);
            try (TrainableEncoderAdapter learner = TrainableEncoderAdapter.from(
                    start, LoraConfig.of(4, 16), 1, stage.optimizer().adamW())) {
                new StageRunner(NOWHERE, listener(new ArrayList<>()), 1000, () -> 0)
                        .run(stage, learner, CallSize.UNLIMITED);
                assertThat(EncoderEvaluation.ofLabels(start.config(), held, learner::labelLogits)
                                .figures()
                                .get("accuracy"))
                        .isGreaterThan(0.9);
            }
        }
    }

    @Test
    void maskedTokensAreGuessedBetterAndTheLossIsThatOfTheReport() {
        List<MaskableText> texts = maskable(60);
        try (EncoderModel start = EncoderModel.random(MASKED, 1, ComputeType.FLOAT32)) {
            FixedStage<EncoderLearner> stage = MaskedStage.of("masked", texts, MASKING, settings(10, 25), 1);
            try (TrainableEncoder learner =
                    TrainableEncoder.from(start, stage.optimizer().adamW())) {
                EncoderEvaluation before = EncoderEvaluation.ofMasked(texts, MASKING, 9, learner::maskedLosses);
                assertThat(before.loss()).isCloseTo(Math.log(61), within(0.3)); // it knows nothing
                assertThat(before.figures().get("perplexity")).isCloseTo(Math.exp(before.loss()), within(1e-9));
                new StageRunner(NOWHERE, listener(new ArrayList<>()), 1000, () -> 0)
                        .run(stage, learner, CallSize.UNLIMITED);
                EncoderEvaluation after = EncoderEvaluation.ofMasked(texts, MASKING, 9, learner::maskedLosses);
                assertThat(after.loss()).isLessThan(before.loss() - 0.5);
            }
        }
    }

    /** Rows of a call change the order of sums, not what is learnt. */
    @Test
    void aStepIsTheSameInOneCallAndInMany() {
        FixedStage<EncoderLearner> labels = LabelStage.of(
                "labels",
                examples(Problem.SINGLE, 0, 12),
                MASKED.withLabels(List.of("ham", "spam")),
                new LabelWeights(List.of(1.0, 3.0)),
                new EncoderSettings(settings(12, 1).optimizer(), 12, 12, 1),
                1);
        try (EncoderModel start = start(Problem.SINGLE);
                TrainableEncoder whole =
                        TrainableEncoder.from(start, labels.optimizer().adamW());
                TrainableEncoder parts =
                        TrainableEncoder.from(start, labels.optimizer().adamW())) {
            StepBatch.Outcome one = labels.batch(1, whole).accumulate(whole, CallSize.UNLIMITED);
            StepBatch.Outcome other =
                    labels.batch(1, parts).accumulate(parts, new CallSize(5, Integer.MAX_VALUE, false));
            assertThat(other.loss()).isCloseTo(one.loss(), within(1e-6));
            assertThat(other.figures().get("accuracy")).isCloseTo(one.figures().get("accuracy"), within(1e-9));
            assertThat(parts.clip(1e9)).isCloseTo(whole.clip(1e9), within(1e-4));
        }
    }

    @Test
    void aRunThatWasStoppedEndsWithTheSameWeightsBitForBit(@TempDir Path directory) {
        List<MaskableText> texts = maskable(40);
        try (EncoderModel start = EncoderModel.random(MASKED, 1, ComputeType.FLOAT32)) {
            FixedStage<EncoderLearner> stage = MaskedStage.of("masked", texts, MASKING, settings(8, 3), 1);
            FileState straight = new FileState(directory.resolve("straight"), new long[1]);
            FileState resumed = new FileState(directory.resolve("resumed"), new long[1]);
            String whole = run(stage, start, straight, 10_000);
            org.assertj.core.api.Assertions.assertThatThrownBy(() -> run(stage, start, resumed, 8))
                    .hasMessage("stopped");
            assertThat(resumed.step()[0]).isEqualTo(5);
            assertThat(run(stage, start, resumed, 10_000)).isEqualTo(whole);
        }
    }

    private static String run(Stage<EncoderLearner> stage, EncoderModel start, StageState state, long stopAfter) {
        try (TrainableEncoder learner =
                TrainableEncoder.from(start, stage.optimizer().adamW())) {
            runner(state, new ArrayList<>(), stopAfter).run(stage, learner, CallSize.UNLIMITED);
            try (EncoderModel end = learner.snapshot(ComputeType.FLOAT32)) {
                return end.digest();
            }
        }
    }

    private static final StageState NOWHERE = new StageState() {
        @Override
        public Saved resume(String stage, Learner learner) {
            return Saved.NONE;
        }

        @Override
        public void save(String stage, long step, Map<String, Double> memory, Learner learner) {}
    };

    private static StepListener listener(List<StepReport> reports) {
        return new StepListener() {
            @Override
            public void before(Stage<?> stage, long step) {}

            @Override
            public void after(Stage<?> stage, StepReport report) {
                reports.add(report);
            }
        };
    }
}
