package io.tidemill.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.reward.GivenAnswer;
import io.tidemill.trainer.reward.Reward;
import io.tidemill.trainer.reward.Rewards;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StageRunner;
import io.tidemill.trainer.stage.StageState;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RolloutStageTest {
    private static final int GOOD = 5;
    private static final int END = 0;
    private static final int LONGEST = 6;
    private static final ModelConfig CONFIG =
            new ModelConfig(16, 16, 32, 1, 2, 2, 8, 24, 10_000, 1e-5, true, 0.2, 1, List.of(END));

    @TempDir
    Path directory;

    /** What a process that stops and starts again keeps. */
    private static final class Kept implements StageState {
        private final Path file;
        private Saved saved = Saved.NONE;

        Kept(Path directory) {
            this.file = directory.resolve("state.safetensors");
        }

        @Override
        public Saved resume(String stage, Learner learner) {
            if (saved.step() > 0) {
                learner.loadState(file);
            }
            return saved;
        }

        @Override
        public void save(String stage, long step, Map<String, Double> memory, Learner learner) {
            learner.saveState(file);
            saved = new Saved(step, memory);
        }
    }

    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Remembers figures, and crashes before or after given steps, once each. */
    private static final class Watch implements StepListener {
        private final List<StepReport> reports = new ArrayList<>();
        private final List<Long> crashes = new ArrayList<>();

        @Override
        public void before(Stage<?> stage, long step) {}

        @Override
        public void after(Stage<?> stage, StepReport report) {
            reports.add(report);
            if (crashes.remove(report.step())) {
                throw new Crash();
            }
        }

        double mean(String figure, int from, int to) {
            return reports.subList(from, to).stream()
                    .mapToDouble(report -> report.figures().get(figure))
                    .average()
                    .orElseThrow();
        }
    }

    private static Rewards rewards(Reward reward) {
        return new Rewards(List.of(new Rewards.Part("rule", reward, 1, Rewards.Limits.NONE)), Rewards.Limits.NONE);
    }

    /** Share of an answer's tokens that are the good one. */
    private static List<OptionalDouble> goodness(List<GivenAnswer> answers) {
        return answers.stream()
                .map(answer -> OptionalDouble.of(IntStream.of(answer.tokens())
                                .filter(token -> token == GOOD)
                                .count()
                        / (double) answer.tokens().length))
                .toList();
    }

    private static List<RolloutPrompt> prompts() {
        return IntStream.range(0, 8)
                .mapToObj(i -> new RolloutPrompt("prompt " + i, List.of(), Map.of(), new int[] {1, 2 + i}))
                .toList();
    }

    private RolloutStage stage(
            String algorithm,
            Map<String, String> parameters,
            RolloutSettings settings,
            Reward reward,
            RewardGuard guard,
            LanguageModel reference) {
        return new RolloutStage(
                algorithm,
                new OptimizerSettings(
                        algorithm.equals("online-dpo") ? 0.003 : 0.02, 0, Decay.CONSTANT, 1, 0.9, 0.95, 1e-8, 0),
                prompts(),
                settings,
                RolloutSampling.plain(LONGEST, Set.of(END)),
                Algorithms.of(algorithm, parameters, LONGEST, 24),
                guard,
                new RolloutTools(
                        rewards(reward),
                        Optional.empty(),
                        Optional.of(Reference.of(reference)),
                        tokens -> "",
                        RolloutTools::policyOf,
                        new RolloutStore(directory, algorithm)),
                7);
    }

    private static LanguageModel model() {
        return LanguageModel.random(CONFIG, 3, ComputeType.FLOAT32);
    }

    private static RolloutSettings settings(String algorithm, long steps) {
        return algorithm.equals("ppo")
                ? new RolloutSettings(8, 4, 2, 2, 3, 0, false, steps)
                : RolloutSettings.onPolicy(8, 4, steps);
    }

    private static TrainableModel learner(LanguageModel start, Stage<?> stage, boolean critic) {
        try (LanguageModel own = critic ? start.withValueHead() : start.copy()) {
            return TrainableModel.from(own, stage.optimizer().adamW());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ppo",
                "grpo",
                "dr-grpo",
                "dapo",
                "gspo",
                "rloo",
                "reinforce-plus-plus",
                "online-dpo",
                "rejection-sampling"
            })
    void aRuleRewardRises(String algorithm) {
        Watch watch = new Watch();
        int steps = 40;
        try (LanguageModel start = model()) {
            Stage<DecoderLearner> stage = stage(
                    algorithm,
                    algorithm.equals("online-dpo") ? Map.of("beta", "0.5") : Map.of(),
                    settings(algorithm, steps),
                    RolloutStageTest::goodness,
                    RewardGuard.NONE,
                    start);
            try (TrainableModel learner = learner(start, stage, algorithm.equals("ppo"))) {
                new StageRunner(new Kept(directory), watch, 1000, () -> 0).run(stage, learner, CallSize.UNLIMITED);
            }
        }
        assertThat(watch.mean("reward", steps - 4, steps))
                .as(algorithm)
                .isGreaterThan(watch.mean("reward", 0, 4) + 0.15);
        assertThat(watch.reports).allSatisfy(report -> assertThat(report.loss()).isFinite());
    }

    @Test
    void anAdapterLearnsFromRolloutsToo() {
        Watch watch = new Watch();
        try (LanguageModel start = model()) {
            Stage<DecoderLearner> stage =
                    stage("grpo", Map.of(), settings("grpo", 40), RolloutStageTest::goodness, RewardGuard.NONE, start);
            try (TrainableAdapter learner = TrainableAdapter.from(
                    start, LoraConfig.of(4, 16), 1, stage.optimizer().adamW())) {
                new StageRunner(new Kept(directory), watch, 1000, () -> 0).run(stage, learner, CallSize.UNLIMITED);
            }
        }
        assertThat(watch.mean("reward", 36, 40)).isGreaterThan(watch.mean("reward", 0, 4) + 0.1);
    }

    /** Runs to the end, starting again after each crash as a new process would, and gives the weights' digest. */
    private String run(String algorithm, Path state, List<Long> crashes, int crashingJudgement) throws IOException {
        Files.createDirectories(state);
        Path before = directory;
        directory = state;
        Kept kept = new Kept(state);
        Watch watch = new Watch();
        watch.crashes.addAll(crashes);
        int[] judgements = {0};
        Reward reward = answers -> {
            if (++judgements[0] == crashingJudgement) {
                throw new Crash(); // in the middle of drawing answers
            }
            return goodness(answers);
        };
        try (LanguageModel start = model()) {
            for (int attempt = 0; attempt < 10; attempt++) {
                Stage<DecoderLearner> stage = stage(
                        algorithm,
                        algorithm.equals("ppo") ? Map.of("kl-target", "0.5") : Map.of("beta", "0.1"),
                        settings(algorithm, 12),
                        reward,
                        RewardGuard.USUAL.with(RewardGuard.Action.WARN),
                        start);
                try (TrainableModel learner = learner(start, stage, algorithm.equals("ppo"))) {
                    new StageRunner(kept, watch, 2, () -> 0).run(stage, learner, CallSize.UNLIMITED);
                    try (LanguageModel end = learner.snapshot(ComputeType.FLOAT32)) {
                        return end.digest();
                    }
                } catch (Crash e) {
                    // and once more
                }
            }
        } finally {
            directory = before;
        }
        throw new AssertionError("it never came to its end");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ppo", "grpo"})
    void anInterruptedStageEndsWithTheSameWeights(String algorithm) throws IOException {
        String straight = run(algorithm, directory.resolve("straight"), List.of(), 0);
        // After steps whose state was saved and others, in the middle of a draw's mini-batches, and within a draw.
        String broken = run(algorithm, directory.resolve("broken"), List.of(1L, 3L, 4L, 7L, 10L), 3);
        assertThat(broken).isEqualTo(straight);
        try (Stream<Path> left = Files.list(directory.resolve("broken"))) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactly("state.safetensors");
        }
    }

    @Test
    void rolloutsThatSavedWeightsHaveLearnedFromMustBeThere() throws IOException {
        try (LanguageModel start = model()) {
            Kept kept = new Kept(directory);
            Watch watch = new Watch();
            watch.crashes.add(2L);
            Stage<DecoderLearner> stage =
                    stage("ppo", Map.of(), settings("ppo", 12), RolloutStageTest::goodness, RewardGuard.NONE, start);
            try (TrainableModel learner = learner(start, stage, true)) {
                assertThatThrownBy(
                                () -> new StageRunner(kept, watch, 1, () -> 0).run(stage, learner, CallSize.UNLIMITED))
                        .isInstanceOf(Crash.class);
            }
            Path rollouts = directory.resolve("rollouts-ppo-1.bin");
            byte[] bytes = Files.readAllBytes(rollouts);
            bytes[bytes.length / 2] ^= 1;
            Files.write(rollouts, bytes);

            Stage<DecoderLearner> again =
                    stage("ppo", Map.of(), settings("ppo", 12), RolloutStageTest::goodness, RewardGuard.NONE, start);
            try (TrainableModel learner = learner(start, again, true)) {
                assertThatThrownBy(
                                () -> new StageRunner(kept, watch, 1, () -> 0).run(again, learner, CallSize.UNLIMITED))
                        .isInstanceOf(RolloutsLostException.class)
                        .hasMessageContaining("rollouts of step 1")
                        .hasMessageContaining("rollouts-ppo-1.bin");
            }
        }
    }

    @Test
    void theGuardStopsBeforeAHackedRewardIsLearnedFromAnyFurther() {
        // The rule wants short answers, and the shortest are empty but for their end: they collapse into one.
        Reward shortness = answers -> answers.stream()
                .map(answer -> OptionalDouble.of(-answer.tokens().length))
                .toList();
        Watch watch = new Watch();
        RewardGuard guard = new RewardGuard(RewardGuard.Action.STOP, 3, 50, 2, 0.9, 0.9, 4);
        try (LanguageModel start = model()) {
            Stage<DecoderLearner> stage = stage("grpo", Map.of(), settings("grpo", 60), shortness, guard, start);
            try (TrainableModel learner = learner(start, stage, false)) {
                assertThatThrownBy(() -> new StageRunner(new Kept(directory), watch, 1, () -> 0)
                                .run(stage, learner, CallSize.UNLIMITED))
                        .isInstanceOf(RewardHackingException.class)
                        .hasMessageContaining("further apart than a factor of 2")
                        .hasMessageContaining("nothing was learned from these answers");
                assertThat(learner.steps()).isEqualTo(watch.reports.size());
            }
        }
    }

    @Test
    void anHonestRunDoesNotTripTheGuard() {
        Watch watch = new Watch();
        RewardGuard guard = new RewardGuard(RewardGuard.Action.STOP, 3, 50, 2, 0.9, 0.9, 4);
        try (LanguageModel start = model()) {
            Stage<DecoderLearner> stage = stage(
                    "grpo", Map.of("beta", "0.02"), settings("grpo", 12), RolloutStageTest::goodness, guard, start);
            try (TrainableModel learner = learner(start, stage, false)) {
                new StageRunner(new Kept(directory), watch, 100, () -> 0).run(stage, learner, CallSize.UNLIMITED);
            }
        }
        assertThat(watch.reports).hasSize(12);
    }

    // ---- what is asked, and what is kept ----------------------------------------------------------------------------

    /** A stage over that reward, with groups of equal rewards replaced if there are {@code refills}. */
    private RolloutStage dynamic(int refills, Reward reward, LanguageModel reference) {
        return stage(
                "dapo",
                Map.of(),
                new RolloutSettings(4, 2, 1, 1, 0, refills, true, 4),
                reward,
                RewardGuard.NONE,
                reference);
    }

    @Test
    void groupsOfEqualRewardsAreReplacedByFurtherPromptsUpToALimit() {
        // Answers to two of the eight prompts are always worth the same.
        Reward most = answers -> {
            List<OptionalDouble> opinions = new ArrayList<>();
            for (int i = 0; i < answers.size(); i++) {
                boolean differs = answers.get(i).promptId().matches("prompt [0-5]");
                opinions.add(OptionalDouble.of(differs ? i % 2 : 0));
            }
            return opinions;
        };
        Watch watch = new Watch();
        try (LanguageModel start = model()) {
            RolloutStage stage = dynamic(8, most, start);
            try (TrainableModel learner = learner(start, stage, false)) {
                new StageRunner(new Kept(directory), watch, 1, () -> 0).run(stage, learner, CallSize.UNLIMITED);
            }
            assertThat(watch.reports).hasSize(4).allSatisfy(report -> {
                Map<String, Double> figures = report.figures();
                assertThat(figures).containsEntry("groups", 4.0).containsEntry("groups_without_signal_share", 0.0);
                assertThat(figures.get("groups_asked")).isEqualTo(4 + figures.get("groups_dropped"));
            });
            // No more is asked than what is missing: 16 groups, and between them every useless prompt that came up.
            assertThat(4 * watch.mean("groups_dropped", 0, 4)).isBetween(4.0, 6.0);
            assertThat(stage.memory().get("prompts_asked")).isEqualTo(4 * watch.mean("groups_asked", 0, 4));
        }
    }

    @Test
    void withNothingToLearnFromTheStageGoesOnAndSaysSo() {
        Watch watch = new Watch();
        Reward none =
                answers -> answers.stream().map(answer -> OptionalDouble.of(1)).toList();
        try (LanguageModel start = model()) {
            RolloutStage stage = dynamic(2, none, start);
            try (TrainableModel learner = learner(start, stage, false)) {
                new StageRunner(new Kept(directory), watch, 1, () -> 0).run(stage, learner, CallSize.UNLIMITED);
                try (LanguageModel end = learner.snapshot(ComputeType.FLOAT32)) {
                    assertThat(end.digest()).isEqualTo(start.digest());
                }
            }
        }
        assertThat(watch.reports).hasSize(4).allSatisfy(report -> assertThat(report.figures())
                .containsEntry("groups", 0.0)
                .containsEntry("groups_asked", 12.0)
                .containsEntry("groups_dropped", 12.0));
    }

    /** An endpoint need not say the same twice, so what it said before must not be asked again. */
    @Test
    void whatAnOutsideRewardSaidIsReadBackAndNotAskedAgain() {
        int[] asked = {0};
        Reward moody = answers -> {
            asked[0]++;
            return answers.stream()
                    .map(answer -> OptionalDouble.of((asked[0] * 31 + answer.tokens()[0]) % 7))
                    .toList();
        };
        Kept kept = new Kept(directory);
        try (LanguageModel start = model()) {
            Watch first = new Watch();
            first.crashes.add(3L);
            RolloutStage stage = stage("grpo", Map.of(), settings("grpo", 4), moody, RewardGuard.NONE, start);
            try (TrainableModel learner = learner(start, stage, false)) {
                assertThatThrownBy(() ->
                                new StageRunner(kept, first, 100, () -> 0).run(stage, learner, CallSize.UNLIMITED))
                        .isInstanceOf(Crash.class);
            }
            assertThat(asked[0]).isEqualTo(3);

            Watch again = new Watch();
            RolloutStage other = stage("grpo", Map.of(), settings("grpo", 4), moody, RewardGuard.NONE, start);
            try (TrainableModel learner = learner(start, other, false)) {
                new StageRunner(kept, again, 100, () -> 0).run(other, learner, CallSize.UNLIMITED);
            }
            assertThat(asked[0]).isEqualTo(4); // for the step that was never reached
            for (int step = 0; step < 3; step++) {
                assertThat(again.reports.get(step).figures())
                        .isEqualTo(first.reports.get(step).figures());
                assertThat(again.reports.get(step).gradientNorm())
                        .isEqualTo(first.reports.get(step).gradientNorm());
            }
        }
    }

    @Test
    void trainingAndGenerationAgreeOnWhatWasDrawnWithTheTokenThatEndsAnAnswer() {
        Watch watch = new Watch();
        try (LanguageModel start = model()) {
            RolloutStage stage =
                    stage("ppo", Map.of(), settings("ppo", 5), RolloutStageTest::goodness, RewardGuard.NONE, start);
            try (TrainableModel learner = learner(start, stage, true)) {
                new StageRunner(new Kept(directory), watch, 100, () -> 0).run(stage, learner, CallSize.UNLIMITED);
            }
        }
        assertThat(watch.reports).allSatisfy(report -> {
            assertThat(report.figures().get("sampling_difference")).isBetween(0.0, 1e-5);
            assertThat(report.figures().get("sampling_ratio")).isBetween(1 - 1e-5, 1 + 1e-5);
        });
        assertThat(watch.reports.get(0).figures().get("kl_per_token"))
                .isBetween(0.0, 1e-9); // it is the reference still
        assertThat(watch.reports.get(0).figures().get("truncated_share")).isLessThan(1); // some did end by themselves
        assertThat(watch.reports)
                .extracting(report -> report.figures().get("age"))
                .containsExactly(0.0, 1.0, 2.0, 3.0, 0.0);
    }

    @Test
    void answersFromAnotherDistributionAreRefusedWhereTheirProbabilitiesAreNeeded() {
        try (LanguageModel start = model()) {
            for (String algorithm : List.of("ppo", "grpo", "rloo", "reinforce-plus-plus", "gspo")) {
                assertThatThrownBy(() -> warm(algorithm, start))
                        .as(algorithm)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageStartingWith(
                                algorithm + " learns from answers drawn from the policy itself: temperature"
                                        + " 1, top-p 1, top-k 0, min-p 0 and repetition penalty 1, but they were 0.7, 1.0, 0, 0.0"
                                        + " and 1.0. Set these, or use online-dpo or rejection-sampling");
            }
            warm("online-dpo", start);
            warm("rejection-sampling", start);
        }
    }

    private RolloutStage warm(String algorithm, LanguageModel reference) {
        return new RolloutStage(
                algorithm,
                new OptimizerSettings(0.01, 0, Decay.CONSTANT, 1, 0.9, 0.95, 1e-8, 0),
                prompts(),
                settings(algorithm, 4),
                new RolloutSampling(0.7, 1, 0, 0, 1, LONGEST, Set.of(END), 4),
                Algorithms.of(algorithm, Map.of(), LONGEST, 24),
                RewardGuard.NONE,
                new RolloutTools(
                        rewards(RolloutStageTest::goodness),
                        Optional.empty(),
                        Optional.of(Reference.of(reference)),
                        tokens -> "",
                        RolloutTools::policyOf,
                        new RolloutStore(directory, algorithm)),
                7);
    }

    @Test
    void aPromptWithoutRoomForAnAnswerIsNamed() {
        try (LanguageModel start = model()) {
            RolloutStage stage = new RolloutStage(
                    "grpo",
                    new OptimizerSettings(0.01, 0, Decay.CONSTANT, 1, 0.9, 0.95, 1e-8, 0),
                    List.of(new RolloutPrompt("the long one", List.of(), Map.of(), new int[24])),
                    RolloutSettings.onPolicy(1, 2, 1),
                    RolloutSampling.plain(LONGEST, Set.of(END)),
                    Algorithms.of("grpo", Map.of(), LONGEST, 24),
                    RewardGuard.NONE,
                    new RolloutTools(
                            rewards(RolloutStageTest::goodness),
                            Optional.empty(),
                            Optional.empty(),
                            tokens -> "",
                            RolloutTools::policyOf,
                            new RolloutStore(directory, "grpo")),
                    7);
            try (TrainableModel learner = learner(start, stage, false)) {
                assertThatThrownBy(() -> stage.batch(1, learner))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage(
                                "Prompt the long one of stage grpo has 24 tokens and leaves no position for an answer in"
                                        + " a model of 24. Leave it out or shorten it");
            }
        }
    }
}
