package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.AnswerCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PairObjectiveTest {
    private static final int SEEDS = 200;

    static Stream<PairObjective> objectives() {
        return Stream.of(
                Objectives.pair("dpo", Map.of()),
                Objectives.pair("dpo", Map.of("label-smoothing", "0.2", "supervised-weight", "0.5")),
                Objectives.pair("dpo", Map.of("length-normalised", "true", "beta", "3")),
                Objectives.pair("ipo", Map.of("beta", "0.5")),
                Objectives.pair("hinge", Map.of("beta", "0.4")),
                Objectives.pair("robust", Map.of("label-smoothing", "0.2")),
                Objectives.pair("simpo", Map.of()),
                Objectives.pair("orpo", Map.of("beta", "0.5")),
                Objectives.pair("cpo", Map.of()),
                Objectives.pair("cpo", Map.of("loss", "hinge", "beta", "0.3")),
                Objectives.pair("reward", Map.of("centring", "0.1")));
    }

    private static List<JudgedPair> judged(Random random, int n) {
        List<JudgedPair> judged = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            judged.add(new JudgedPair(
                    0.1 + random.nextDouble(),
                    -10 * random.nextDouble(),
                    -10 * random.nextDouble(),
                    random.nextDouble()));
        }
        return judged;
    }

    private static double weight(List<JudgedPair> judged) {
        return judged.stream().mapToDouble(JudgedPair::weight).sum();
    }

    private static Map<String, Double> figures(PairObjective objective, AnswerCall call, List<JudgedPair> judged) {
        Figures figures = new Figures();
        objective.evaluate(call, judged, weight(judged), figures);
        return figures.means();
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void slopesAreThoseOfTheLoss(PairObjective objective) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            double[][][] logProbabilities = Cases.logProbabilities(random, 2, 2);
            double[][][] values = Cases.values(random, logProbabilities);
            List<JudgedPair> judged = judged(random, 2);
            Cases.assertSlopes(
                    objective.name() + ", seed " + seed,
                    logProbabilities,
                    values,
                    call -> objective.evaluate(call, judged, 3, new Figures()));
        }
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void aStepCutIntoCallsAddsUpToTheSameLossFiguresAndSlopes(PairObjective objective) {
        Random random = new Random(7);
        double[][][] logProbabilities = Cases.logProbabilities(random, 5, 2);
        double[][][] values = Cases.values(random, logProbabilities);
        List<JudgedPair> judged = judged(random, 5);
        AnswerCall whole = new AnswerCall(logProbabilities, values);
        Figures wholeFigures = new Figures();
        double loss = objective.evaluate(whole, judged, weight(judged), wholeFigures);

        Figures figures = new Figures();
        double sum = 0;
        for (int f = 0; f < 5; f++) {
            AnswerCall part = new AnswerCall(new double[][][] {logProbabilities[f]}, new double[][][] {values[f]});
            sum += objective.evaluate(part, List.of(judged.get(f)), weight(judged), figures);
            assertThat(part.logProbabilitySlopes(0, 1)).isEqualTo(whole.logProbabilitySlopes(f, 1));
            assertThat(part.valueSlopes(0, 1)).isEqualTo(whole.valueSlopes(f, 1));
        }
        assertThat(sum).isCloseTo(loss, within(1e-12));
        assertThat(figures.means().keySet()).isEqualTo(wholeFigures.means().keySet());
        wholeFigures.means().forEach((name, mean) -> assertThat(figures.means().get(name))
                .as(name)
                .isCloseTo(mean, within(1e-12)));
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void aPairOfWeightZeroIsLeftOut(PairObjective objective) {
        Random random = new Random(3);
        double[][][] logProbabilities = Cases.logProbabilities(random, 2, 2);
        double[][][] values = Cases.values(random, logProbabilities);
        List<JudgedPair> judged = judged(random, 2);
        JudgedPair first = judged.get(0);
        JudgedPair weightless = new JudgedPair(0, -1, -2, 0);
        Figures alone = new Figures();
        double loss = objective.evaluate(
                new AnswerCall(new double[][][] {logProbabilities[0]}, new double[][][] {values[0]}),
                List.of(first),
                first.weight(),
                alone);

        Figures both = new Figures();
        AnswerCall call = new AnswerCall(logProbabilities, values);
        assertThat(objective.evaluate(call, List.of(first, weightless), first.weight(), both))
                .isEqualTo(loss);
        assertThat(both.means()).isEqualTo(alone.means());
        assertThat(call.logProbabilitySlopes(1, 0)).containsOnly(0);
        assertThat(call.logProbabilitySlopes(1, 1)).containsOnly(0);
        assertThat(call.valueSlopes(1, 0)).containsOnly(0);
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void swappedAnswersHaveTheOppositeMarginAndALargerLossIfTheChosenOneWasBetter(PairObjective objective) {
        double[][][] logProbabilities = {{{-0.5, -0.25}, {-2, -1.5, -1}}};
        double[][][] swapped = {{logProbabilities[0][1], logProbabilities[0][0]}};
        double[][][] values = {{{0, 0, 2}, {0, 0, 0, -1}}};
        double[][][] valuesSwapped = {{values[0][1], values[0][0]}};
        List<JudgedPair> judged = List.of(new JudgedPair(1, -3, -3, 0));
        Map<String, Double> right = figures(objective, new AnswerCall(logProbabilities, values), judged);
        Map<String, Double> wrong = figures(objective, new AnswerCall(swapped, valuesSwapped), judged);

        assertThat(right.get("reward_margin")).isPositive().isEqualTo(-wrong.get("reward_margin"));
        assertThat(right.get("accuracy")).isEqualTo(1);
        assertThat(wrong.get("accuracy")).isZero();
        if (!objective.name().equals("ipo")) { // whose margin may be too wide
            assertThat(objective.evaluate(new AnswerCall(swapped, valuesSwapped), judged, 1, new Figures()))
                    .isGreaterThan(
                            objective.evaluate(new AnswerCall(logProbabilities, values), judged, 1, new Figures()));
        }
    }

    @Test
    void equalAnswersAreNeitherRightNorWorthMoreThanLog2() {
        AnswerCall call = new AnswerCall(new double[][][] {{{-1, -2}, {-1, -2}}}, Cases.none(1, 2));
        List<JudgedPair> judged = List.of(new JudgedPair(1, -3, -3, 0));
        Figures figures = new Figures();
        assertThat(new Dpo(0.1, 0, false, 0).evaluate(call, judged, 1, figures)).isCloseTo(Math.log(2), within(1e-15));
        assertThat(figures.means()).containsEntry("accuracy", 0.0).containsEntry("reward_margin", 0.0);
        assertThat(call.logProbabilitySlopes(0, 0)).containsExactly(-0.05, -0.05); // −β/2
    }

    @Test
    void enormousMarginsStayNumbers() {
        for (double logProbability : new double[] {-1e6, -1e-300}) {
            AnswerCall call =
                    new AnswerCall(new double[][][] {{{logProbability}, {-1e6 - logProbability}}}, Cases.none(1, 2));
            for (PairObjective objective :
                    objectives().filter(o -> !o.learnsScores()).toList()) {
                double loss = objective.evaluate(call, List.of(new JudgedPair(1, 0, 0, 0)), 1, new Figures());
                assertThat(loss).as(objective.name()).isFinite();
                assertThat(call.logProbabilitySlopes(0, 0)[0]).isFinite();
                assertThat(call.logProbabilitySlopes(0, 1)[0]).isFinite();
            }
        }
    }

    @Test
    void answersThatDoNotFitAreRefused() {
        Dpo dpo = new Dpo(0.1, 0, false, 0);
        AnswerCall three = new AnswerCall(new double[][][] {{{-1}, {-1}, {-1}}}, Cases.none(1, 3));
        List<JudgedPair> one = List.of(new JudgedPair(1, 0, 0, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dpo.evaluate(three, one, 1, new Figures()))
                .withMessage("Text 0 of the call has 3 answers instead of 2");
        AnswerCall two = new AnswerCall(Cases.none(1, 2), Cases.none(1, 2));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dpo.evaluate(two, List.of(), 1, new Figures()))
                .withMessage("The call has 1 texts, but something is known of 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dpo.evaluate(two, one, 1, new Figures()))
                .withMessageContaining("needs a model with a head over the vocabulary");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RewardModelling(0).evaluate(two, one, 1, new Figures()))
                .withMessageContaining("needs a head of one score");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> dpo.evaluate(two, one, 0, new Figures()))
                .withMessage("weightOfStep must be above 0, but was 0.0");
    }
}
