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

class PolicyObjectiveTest {
    static Stream<PolicyObjective> objectives() {
        return Stream.of(
                Objectives.policy("ppo", Map.of("value-weight", "0.5")),
                Objectives.policy("grpo", Map.of("beta", "0.1", "ratio-limit", "1.5")),
                Objectives.policy("dr-grpo", Map.of("longest", "9")),
                Objectives.policy("dapo", Map.of("mask-truncated", "true")),
                Objectives.policy("gspo", Map.of("clip-low", "0.1", "clip-high", "0.1", "beta", "0.1")),
                Objectives.policy("grpo", Map.of("beta", "0.5", "corrected-divergence", "true")),
                Objectives.policy(
                        "gspo",
                        Map.of("clip-low", "0.1", "clip-high", "0.1", "beta", "0.5", "corrected-divergence", "true")),
                Objectives.policy("rloo", Map.of()),
                Objectives.policy("reinforce-plus-plus", Map.of()));
    }

    private static List<List<SampledAnswer>> sampled(Random random, double[][][] said, double spread) {
        List<List<SampledAnswer>> all = new ArrayList<>();
        for (double[][] text : said) {
            List<SampledAnswer> answers = new ArrayList<>();
            for (double[] tokens : text) {
                int n = tokens.length;
                double[] old = new double[n];
                double[] reference = new double[n];
                double[] advantages = new double[n];
                double[] values = new double[n];
                double[] returns = new double[n];
                double advantage = random.nextGaussian();
                for (int t = 0; t < n; t++) {
                    old[t] = tokens[t] + spread * random.nextGaussian();
                    reference[t] = tokens[t] + 0.3 * random.nextGaussian();
                    advantages[t] = advantage;
                    values[t] = 2 * random.nextGaussian();
                    returns[t] = random.nextGaussian();
                }
                answers.add(new SampledAnswer(old, reference, advantages, values, returns, random.nextInt(4) == 0));
            }
            all.add(answers);
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void slopesAreThoseOfTheLoss(PolicyObjective objective) {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            double[][][] said = Cases.logProbabilities(random, 2, 2);
            double[][][] values = Cases.values(random, said);
            List<List<SampledAnswer>> answers = sampled(random, said, 0.2);
            PolicyObjective.Step step = new PolicyObjective.Step(7, 40, 31);
            Cases.assertSlopes(
                    objective.name() + ", seed " + seed,
                    said,
                    values,
                    call -> objective.evaluate(call, answers, step, new Figures()));
        }
    }

    @ParameterizedTest
    @MethodSource("objectives")
    void aStepCutIntoCallsAddsUpToTheSameLossFiguresAndSlopes(PolicyObjective objective) {
        Random random = new Random(11);
        double[][][] said = Cases.logProbabilities(random, 4, 2);
        double[][][] values = Cases.values(random, said);
        List<List<SampledAnswer>> answers = sampled(random, said, 0.2);
        PolicyObjective.Step step = PolicyObjective.Step.of(answers);
        AnswerCall whole = new AnswerCall(said, values);
        Figures wholeFigures = new Figures();
        double loss = objective.evaluate(whole, answers, step, wholeFigures);

        double sum = 0;
        Figures figures = new Figures();
        for (int f = 0; f < 4; f++) {
            AnswerCall part = new AnswerCall(new double[][][] {said[f]}, new double[][][] {values[f]});
            sum += objective.evaluate(part, List.of(answers.get(f)), step, figures);
            assertThat(part.logProbabilitySlopes(0, 1)).isEqualTo(whole.logProbabilitySlopes(f, 1));
        }
        assertThat(sum).isCloseTo(loss, within(1e-12));
        wholeFigures.means().forEach((name, mean) -> assertThat(figures.means().get(name))
                .as(name)
                .isCloseTo(mean, within(1e-12)));
    }

    @Test
    void answersThatWereAsGoodAsExpectedMoveNothing() {
        double[][][] said = {{{-1, -2}}};
        SampledAnswer answer = new SampledAnswer(
                new double[] {-1.1, -2.2}, new double[0], new double[2], new double[0], new double[0], false);
        for (String name : List.of("grpo", "dr-grpo", "dapo", "gspo", "rloo", "reinforce-plus-plus")) {
            AnswerCall call = new AnswerCall(said, Cases.none(1, 1));
            List<List<SampledAnswer>> answers = List.of(List.of(answer));
            double loss = Objectives.policy(name, Map.of())
                    .evaluate(call, answers, PolicyObjective.Step.of(answers), new Figures());
            assertThat(loss).as(name).isZero();
            assertThat(call.logProbabilitySlopes(0, 0)[0]).as(name).isCloseTo(0, within(0.0));
        }
    }

    @Test
    void answersThatWereCutOffAreLearnedFromUnlessTheyAreMasked() {
        double[][][] said = {{{-1, -2}, {-1, -2, -1}}};
        double[] none = new double[0];
        List<List<SampledAnswer>> answers = List.of(List.of(
                new SampledAnswer(new double[] {-1, -2}, none, new double[] {1, 1}, none, none, true),
                new SampledAnswer(new double[] {-1, -2, -1}, none, new double[] {1, 1, 1}, none, none, false)));
        PolicyObjective.Step step = PolicyObjective.Step.of(answers);
        assertThat(step).isEqualTo(new PolicyObjective.Step(2, 5, 3));
        for (String name : List.of("grpo", "dr-grpo", "dapo", "gspo")) {
            AnswerCall all = new AnswerCall(said, Cases.none(1, 2));
            Objectives.policy(name, Map.of()).evaluate(all, answers, step, new Figures());
            assertThat(all.logProbabilitySlopes(0, 0)[1]).as(name).isNegative();
            AnswerCall whole = new AnswerCall(said, Cases.none(1, 2));
            Objectives.policy(name, Map.of("mask-truncated", "true")).evaluate(whole, answers, step, new Figures());
            assertThat(whole.logProbabilitySlopes(0, 0)).as(name).containsOnly(0);
            assertThat(whole.logProbabilitySlopes(0, 1)[1]).as(name).isNegative();
        }
    }

    @Test
    void anAdaptiveCoefficientRisesAboveTheTargetAndFallsBelowItByNoMoreThanAFifth() {
        AdaptiveKl control = new AdaptiveKl(0.2, 6, 10_000);
        assertThat(control.after(0.2, 6, 100)).isEqualTo(0.2);
        assertThat(control.after(0.2, 600, 100)).isCloseTo(0.2 * 1.002, within(1e-15)); // 1 + 0.2 · 100/10000
        assertThat(control.after(0.2, 0, 100)).isCloseTo(0.2 * 0.998, within(1e-15));
        assertThat(control.after(0.2, 6.6, 1000)).isCloseTo(0.2 * 1.01, within(1e-12)); // an error of 10 %
    }

    @Test
    void eachTokenPaysForItsDivergenceAndTheLastEarnsTheScore() {
        assertThat(KlPenalty.rewards(new double[] {-1, -2}, new double[] {-1.5, -1}, 3, 0.1))
                .containsExactly(new double[] {-0.05, 3.1}, within(1e-15));
        assertThat(KlPenalty.rewards(new double[] {-1, -2}, new double[0], 3, 0.1))
                .containsExactly(0, 3);
        assertThat(KlPenalty.divergence(new double[] {-1, -2}, new double[] {-1.5, -1}))
                .isEqualTo(-0.5);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        AnswerCall call = new AnswerCall(new double[][][] {{{-1, -1}}}, Cases.none(1, 1));
        SampledAnswer one =
                new SampledAnswer(new double[] {-1}, new double[0], new double[1], new double[0], new double[0], false);
        PolicyObjective.Step step = new PolicyObjective.Step(1, 1, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Objectives.policy("grpo", Map.of()).evaluate(call, List.of(List.of(one)), step, new Figures()))
                .withMessage("Answer 0 of text 0 has 2 log-probabilities, but had 1 when it was sampled");
        AnswerCall short1 = new AnswerCall(new double[][][] {{{-1}}}, Cases.none(1, 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Objectives.policy("ppo", Map.of()).evaluate(short1, List.of(List.of(one)), step, new Figures()))
                .withMessageContaining("PPO needs a critic");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GroupAdvantages.leaveOneOut(List.of(new double[] {1}), false))
                .withMessageContaining("no others");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Objectives.policy("grpo", Map.of("ratio-limit", "1.1")))
                .withMessageContaining("above 1 + clip-high");
    }
}
