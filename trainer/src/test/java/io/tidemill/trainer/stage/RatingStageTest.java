package io.tidemill.trainer.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.AnswerCall;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.RatedAnswer;
import io.tidemill.trainer.objective.RatingObjective;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RatingStageTest {
    private static final OptimizerSettings OPTIMIZER =
            new OptimizerSettings(1e-3, 0, Decay.CONSTANT, 1, 0.9, 0.95, 1e-8, 0);

    /** Remembers how many answers it has seen, and what it was given. */
    private static final class Counting implements RatingObjective {
        private double seen;
        private final List<Double> divergences = new ArrayList<>();
        private final List<RatedAnswer> answers = new ArrayList<>();

        @Override
        public String name() {
            return "counting";
        }

        @Override
        public boolean needsMismatched() {
            return true;
        }

        @Override
        public double evaluate(
                AnswerCall call, List<RatedAnswer> given, double divergence, double weightOfStep, Figures figures) {
            seen += given.size();
            divergences.add(divergence);
            answers.addAll(given);
            for (int f = 0; f < call.size(); f++) {
                call.addSlope(f, 0, given.get(f).weight() / weightOfStep);
            }
            return 1;
        }

        @Override
        public Map<String, Double> memory() {
            return Map.of("seen", seen);
        }

        @Override
        public void restore(Map<String, Double> memory) {
            seen = memory.get("seen");
        }
    }

    private static List<TokenizedAnswer> answers(int n) {
        return IntStream.range(0, n)
                .mapToObj(i ->
                        new TokenizedAnswer("example " + i, new int[] {i}, new int[] {100 + i, 7}, i % 2 == 0, 1 + i))
                .toList();
    }

    private static RatingStage stage(List<TokenizedAnswer> answers, RatingObjective objective, int ofStep) {
        List<RatingStage.Reference> references = IntStream.range(0, answers.size())
                .mapToObj(i -> new RatingStage.Reference(-i, -10 - i))
                .toList();
        return RatingStage.of(
                "rating", answers, RatingStage.mismatched(answers, 9), references, objective, OPTIMIZER, ofStep, 2, 42);
    }

    @Test
    void everyAnswerIsSeenOnceAnEpochWithItsOwnReference() {
        Counting objective = new Counting();
        RatingStage stage = stage(answers(5), objective, 2);
        assertThat(stage.steps()).isEqualTo(6);
        assertThat(stage.tokens()).isEqualTo(2 * 5 * 2);
        SpokenLearner learner = new SpokenLearner(text -> -1, 1);
        for (long step = 1; step <= stage.steps(); step++) {
            stage.batch(step, learner).accumulate(learner, CallSize.UNLIMITED);
        }
        assertThat(objective.answers).hasSize(10).allSatisfy(answer -> {
            int i = (int) answer.weight() - 1;
            assertThat(answer.reference()).isEqualTo(-i);
            assertThat(answer.desirable()).isEqualTo(i % 2 == 0);
        });
        assertThat(stage.memory()).isEqualTo(Map.of("seen", 10.0));
    }

    @Test
    void theDivergenceIsThatOfAnswersToOtherPromptsAndNotBelowZero() {
        // π says −2 of each token where the answer is not the prompt's own, the reference says −10 − i of both: the
        // mean of
        // −4 − (−10 − i) over the two examples 0 and 1 is 6.5.
        Counting objective = new Counting();
        List<TokenizedAnswer> answers = answers(2);
        SpokenLearner learner =
                new SpokenLearner(text -> text.answers().get(0)[0] == 100 + text.prompt()[0] ? -1 : -2, 4);
        stage(answers, objective, 2).batch(1, learner).accumulate(learner, CallSize.UNLIMITED);
        assertThat(objective.divergences).containsExactly(6.5);

        Counting further = new Counting();
        SpokenLearner unlikely = new SpokenLearner(text -> -100, 4);
        StepBatch.Outcome outcome =
                stage(answers, further, 2).batch(1, unlikely).accumulate(unlikely, CallSize.UNLIMITED);
        assertThat(further.divergences).containsExactly(0.0);
        assertThat(outcome.figures()).containsEntry("kl", 0.0);
    }

    @Test
    void oneAnswerAloneHasNoOtherPromptsAnswer() {
        Counting objective = new Counting();
        SpokenLearner learner = new SpokenLearner(text -> -1, 4);
        stage(answers(1), objective, 2).batch(1, learner).accumulate(learner, CallSize.UNLIMITED);
        assertThat(objective.divergences).containsExactly(0.0);
    }

    @Test
    void smallerCallsGiveTheSameSlopes() {
        List<Double> whole = slopes(new CallSize(1, 100, false));
        List<Double> parts = slopes(new CallSize(1, 1, false));
        assertThat(parts).isEqualTo(whole).hasSize(5);
        assertThat(whole.stream().mapToDouble(Double::doubleValue).sum()).isCloseTo(1, within(1e-12));
    }

    private static List<Double> slopes(CallSize size) {
        SpokenLearner learner = new SpokenLearner(text -> -1, 100);
        stage(answers(5), new Counting(), 5).batch(1, learner).accumulate(learner, size);
        assertThat(learner.calls).allMatch(texts -> texts <= Math.max(size.answers(), 1));
        return learner.slopes;
    }

    @Test
    void mismatchedAnswersBelongToTheNextPrompt() {
        assertThat(RatingStage.mismatched(answers(3), 9))
                .extracting(text -> text.prompt()[0], text -> text.answers().get(0)[0])
                .containsExactly(tuple(0, 101), tuple(1, 102), tuple(2, 100));
        assertThat(RatingStage.mismatched(answers(1), 9)).isEmpty();
        // a long prompt leaves room for a part of another's answer only
        assertThat(RatingStage.mismatched(answers(3), 2))
                .allSatisfy(text -> assertThat(text.answers().get(0)).hasSize(1));
    }
}
