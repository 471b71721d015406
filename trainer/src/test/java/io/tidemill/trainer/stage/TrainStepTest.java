package io.tidemill.trainer.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.AnswerCall;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.JudgedPair;
import io.tidemill.trainer.objective.PairObjective;
import io.tidemill.trainer.optimizer.LearningRateSchedule;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TrainStepTest {
    private static final ModelConfig CONFIG =
            new ModelConfig(50, 16, 32, 1, 2, 2, 8, 32, 10_000, 1e-5, true, 0.02, 0, List.of(0));
    private static final LearningRateSchedule SCHEDULE = LearningRateSchedule.over(10, 0.01, 0, Decay.CONSTANT);

    private static StepBatch.Sequences batch() {
        int[] ids = IntStream.range(0, 30).map(i -> i % 7).toArray();
        return StepBatch.Sequences.of(
                new Packer(2, 16).packWithOrigins(List.of(TrainingSequence.of("the example", ids))));
    }

    private static PairBatch overflowing() {
        return pairs(List.of("the example"), 1);
    }

    /** @param margins 1 for a pair that overflows, otherwise 0 */
    private static PairBatch pairs(List<String> ids, double... margins) {
        return new PairBatch(
                ids,
                ids.stream()
                        .map(id -> new PromptAnswers(new int[] {1}, List.of(new int[] {2}, new int[] {3})))
                        .toList(),
                DoubleStream.of(margins)
                        .mapToObj(margin -> new JudgedPair(1, 0, 0, margin))
                        .toList(),
                new Overflowing());
    }

    /** Gives good slopes, and a loss that is none where a pair overflows. */
    private static final class Overflowing implements PairObjective {
        @Override
        public String name() {
            return "overflowing";
        }

        @Override
        public boolean needsReference() {
            return false;
        }

        @Override
        public double evaluate(AnswerCall call, List<JudgedPair> pairs, double weightOfStep, Figures figures) {
            call.addSlope(0, 0, 1);
            return pairs.stream().anyMatch(pair -> pair.margin() > 0) ? Double.POSITIVE_INFINITY : 1;
        }
    }

    @Test
    void aLossThatIsNotANumberLeavesTheWeightsAloneAndNamesTheExamples() {
        try (LanguageModel start = LanguageModel.random(CONFIG, 1, ComputeType.FLOAT32);
                TrainableModel model = TrainableModel.from(start, AdamWSettings.defaults())) {
            TrainStep<DecoderLearner> step =
                    new TrainStep<>("pretrain", model, CallSize.UNLIMITED, SCHEDULE, 1, () -> 0);
            assertThatThrownBy(() -> step.run(4, overflowing()))
                    .isInstanceOf(DivergedException.class)
                    .hasMessageContaining("Step 4 of stage pretrain diverged: loss=")
                    .hasMessageContaining("Weights are those of step 3")
                    .hasMessageContaining("the example");
            try (LanguageModel after = model.snapshot(ComputeType.FLOAT32)) {
                assertThat(after.digest()).isEqualTo(start.digest());
            }

            // and the gradients of the bad step are gone: the next one is as if it had not been
            StepReport report = step.run(4, batch());
            try (TrainableModel fresh = TrainableModel.from(start, AdamWSettings.defaults())) {
                StepReport alone = new TrainStep<DecoderLearner>(
                                "pretrain", fresh, CallSize.UNLIMITED, SCHEDULE, 1, () -> 0)
                        .run(4, batch());
                assertThat(report.gradientNorm()).isEqualTo(alone.gradientNorm());
            }
        }
    }

    @Test
    void ofAStepThatDivergesThoseExamplesAreNamedThatDoSoAlone() {
        try (LanguageModel start = LanguageModel.random(CONFIG, 1, ComputeType.FLOAT32);
                TrainableModel model = TrainableModel.from(start, AdamWSettings.defaults())) {
            TrainStep<DecoderLearner> step =
                    new TrainStep<>("preference", model, CallSize.UNLIMITED, SCHEDULE, 1, () -> 0);
            assertThat(offending(step, pairs(List.of("good", "bad", "also good", "also bad"), 0, 1, 0, 1)))
                    .containsExactly("bad", "also bad");

            TrainStep<DecoderLearner> pretrain =
                    new TrainStep<>("pretrain", stumblingOver(40, model), CallSize.UNLIMITED, SCHEDULE, 1, () -> 0);
            List<TrainingSequence> texts = List.of(
                    TrainingSequence.of("good", IntStream.range(0, 16).toArray()),
                    TrainingSequence.of("bad", IntStream.range(30, 46).toArray()));
            assertThat(offending(pretrain, StepBatch.Sequences.of(new Packer(1, 16).packWithOrigins(texts))))
                    .containsExactly("bad");
            assertThat(offending(pretrain, StepBatch.Sequences.of(new Packer(2, 16).packWithOrigins(texts))))
                    .as("rows of one call cannot be told apart")
                    .containsExactly("good", "bad");
            assertThat(model.steps()).isZero();
        }
    }

    private static List<String> offending(TrainStep<DecoderLearner> step, StepBatch<DecoderLearner> batch) {
        return catchThrowableOfType(DivergedException.class, () -> step.run(1, batch))
                .exampleIds();
    }

    /** The same learner, for which texts with that token have a loss that is no number. */
    private static DecoderLearner stumblingOver(int token, DecoderLearner learner) {
        return (DecoderLearner) Proxy.newProxyInstance(
                TrainStepTest.class.getClassLoader(),
                new Class<?>[] {DecoderLearner.class},
                (proxy, method, arguments) -> {
                    Object result = method.invoke(learner, arguments);
                    boolean stumbles = method.getName().equals("accumulate")
                            && arguments[0] instanceof PackedBatch batch
                            && Stream.of(batch.ids())
                                    .flatMapToInt(IntStream::of)
                                    .anyMatch(id -> id == token);
                    return stumbles ? Double.NaN : result;
                });
    }

    @Test
    void stepsLowerTheLossAndReportWhatTheyDid() {
        try (LanguageModel start = LanguageModel.random(CONFIG, 1, ComputeType.FLOAT32);
                TrainableModel model = TrainableModel.from(start, AdamWSettings.defaults())) {
            TrainStep<DecoderLearner> step =
                    new TrainStep<>("pretrain", model, CallSize.UNLIMITED, SCHEDULE, 1, () -> 0);
            StepReport first = step.run(1, batch());
            StepReport last = first;
            for (int i = 2; i <= 10; i++) {
                last = step.run(i, batch());
            }
            assertThat(first.tokens()).isEqualTo(29);
            assertThat(first.learningRate()).isEqualTo(0.01);
            assertThat(first.loss()).isBetween(Math.log(50) - 0.5, Math.log(50) + 0.5);
            assertThat(last.loss()).isLessThan(first.loss() - 0.3);
            assertThat(model.steps()).isEqualTo(10);
        }
    }

    @Test
    void weightsOfAStepAreSharesSoThatTheirMeanIsOne() {
        int[] ids = {1, 2, 3};
        StepBatch.Sequences step = StepBatch.Sequences.of(new Packer(1, 4)
                .packWithOrigins(List.of(
                        new TrainingSequence("light", ids, new boolean[0], 0.5),
                        new TrainingSequence("heavy", ids, new boolean[0], 3),
                        new TrainingSequence("usual", ids, new boolean[0], 1),
                        new TrainingSequence("usual too", ids, new boolean[0], 1))));
        assertThat(step.microBatches()).hasSize(2);
        assertThat(step.microBatches().stream()
                        .mapToDouble(packed -> packed.batch().lossWeight())
                        .sum())
                .isCloseTo(8, within(1e-5)); // and not 11
        assertThat(step.tokens()).isEqualTo(8);
    }
}
