package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.AnswerCall;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the settings of objectives over rollouts do, and what is logged. */
class PolicySettingsTest {
    private static final double[][][] SAID = {{{-1, -2}, {-0.5, -1, -1.5}}};

    /** Two answers; the second may be cut off. */
    private static List<List<SampledAnswer>> answers(boolean cutOff) {
        return List.of(List.of(
                answer(new double[] {-1.1, -1.8}, 1, false), answer(new double[] {-0.6, -1.1, -1.4}, -1, cutOff)));
    }

    private static SampledAnswer answer(double[] sampled, double advantage, boolean cutOff) {
        double[] advantages = new double[sampled.length];
        Arrays.fill(advantages, advantage);
        return new SampledAnswer(sampled, new double[0], advantages, new double[0], new double[0], cutOff);
    }

    private static AnswerCall call() {
        return new AnswerCall(SAID, Cases.none(1, 2));
    }

    private static double evaluate(
            String name, Map<String, String> parameters, AnswerCall call, List<List<SampledAnswer>> answers) {
        return Objectives.policy(name, parameters)
                .evaluate(call, answers, PolicyObjective.Step.of(answers), new Figures());
    }

    @ParameterizedTest
    @ValueSource(strings = {"grpo", "dr-grpo", "dapo", "gspo", "rloo", "reinforce-plus-plus"})
    void answersThatWereCutOffAreLearnedFromLikeOthersUnlessTheyAreMasked(String name) {
        AnswerCall whole = call();
        AnswerCall cut = call();
        double loss = evaluate(name, Map.of(), whole, answers(false));
        assertThat(evaluate(name, Map.of(), cut, answers(true))).isEqualTo(loss);
        assertThat(Cases.logProbabilitySlopes(cut)).isDeepEqualTo(Cases.logProbabilitySlopes(whole));
    }

    @ParameterizedTest
    @ValueSource(strings = {"grpo", "dr-grpo", "dapo", "gspo"})
    void answersThatAreMaskedMoveNothingEvenWhereNoOtherIsThere(String name) {
        Map<String, String> masks = Map.of("mask-truncated", "true");
        AnswerCall call = call();
        evaluate(name, masks, call, answers(true));
        assertThat(call.logProbabilitySlopes(0, 0)).doesNotContain(0);
        assertThat(call.logProbabilitySlopes(0, 1)).containsExactly(0, 0, 0);

        List<List<SampledAnswer>> allCutOff = List.of(
                List.of(answer(new double[] {-1.1, -1.8}, 1, true), answer(new double[] {-0.6, -1.1, -1.4}, -1, true)));
        AnswerCall idle = call();
        assertThat(evaluate(name, masks, idle, allCutOff)).isZero();
        assertThat(idle.logProbabilitySlopes(0, 0)).containsExactly(0, 0);
        PolicyObjective.Step step = PolicyObjective.Step.of(allCutOff);
        assertThat(step).isEqualTo(new PolicyObjective.Step(2, 5, 0));
    }

    @Test
    void everyTokenCountsAsMuchAlsoWhereAllAreMasked() {
        // No tokens are left to divide by: DAPO's divisor of a step must still be a number that can divide.
        Dapo dapo = new Dapo(new Clip(0.2, 0.28, Double.POSITIVE_INFINITY), new DivergencePenalty(0, false), true);
        assertThat(dapo.divisor(3, new PolicyObjective.Step(2, 5, 0))).isEqualTo(1);
        assertThat(dapo.divisor(3, new PolicyObjective.Step(2, 5, 2))).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"grpo", "dr-grpo", "dapo", "gspo"})
    void aReferenceIsAskedForOnlyWhereTheDivergenceFromItCosts(String name) {
        assertThat(Objectives.policy(name, Map.of()).needsReference()).isFalse();
        assertThat(Objectives.policy(name, Map.of("beta", "0")).needsReference())
                .isFalse();
        assertThat(Objectives.policy(name, Map.of("beta", "0.04")).needsReference())
                .isTrue();
        assertThat(Objectives.policy(name, Map.of()).needsValues()).isFalse();
    }

    @Test
    void onlyPpoHasACriticAndThoseThatPayInTheRewardAskForNoReferenceThemselves() {
        assertThat(Objectives.policy("ppo", Map.of()).needsValues()).isTrue();
        for (String name : List.of("ppo", "rloo", "reinforce-plus-plus")) {
            assertThat(Objectives.policy(name, Map.of()).needsReference())
                    .as(name)
                    .isFalse();
        }
    }

    @Test
    void ratiosAndDivergenceFromTheOldPolicyAreLogged() {
        // log π − log π_old is 0.1 and −0.2: ratios e^0.1 and e^−0.2, of the whole answer e^−0.1, of it per token
        // e^−0.05.
        double ofTokens = (Math.exp(0.1) + Math.exp(-0.2)) / 2;
        double divergence = (Math.exp(-0.1) + 0.1 - 1 + Math.exp(0.2) - 0.2 - 1) / 2;
        Map<String, Double> ratios = Map.of(
                "grpo", ofTokens,
                "dr-grpo", ofTokens,
                "dapo", ofTokens,
                "reinforce-plus-plus", ofTokens,
                "gspo", Math.exp(-0.05),
                "rloo", Math.exp(-0.1));
        ratios.forEach((name, ratio) -> {
            List<List<SampledAnswer>> one = List.of(List.of(answer(new double[] {-1.1, -1.8}, 1, false)));
            Figures figures = new Figures();
            Objectives.policy(name, Map.of())
                    .evaluate(
                            new AnswerCall(new double[][][] {{{-1, -2}}}, Cases.none(1, 1)),
                            one,
                            PolicyObjective.Step.of(one),
                            figures);
            assertThat(figures.means().get("ratio")).as(name).isCloseTo(ratio, within(1e-12));
            if (!name.equals("rloo")) {
                assertThat(figures.means().get("approximate_kl")).as(name).isCloseTo(divergence, within(1e-12));
            }
        });
    }

    @Test
    void defaultsAreThoseOfTrlAndOfThePapers() {
        Map<String, Map<String, String>> defaults = Objectives.describe().stream()
                .filter(one -> one.kind() == ObjectiveDescription.Kind.POLICY)
                .collect(Collectors.toMap(ObjectiveDescription::name, one -> one.parameters().stream()
                        .collect(Collectors.toMap(
                                ObjectiveDescription.Parameter::name, ObjectiveDescription.Parameter::defaultValue))));
        Map<String, String> clip = Map.of("clip-low", "0.2", "clip-high", "0.2");
        assertThat(defaults.get("grpo"))
                .containsAllEntriesOf(clip)
                .containsAllEntriesOf(Map.of("beta", "0", "mask-truncated", "false", "ratio-limit", "none"));
        assertThat(defaults.get("dr-grpo")).containsAllEntriesOf(clip).containsEntry("longest", "256");
        assertThat(defaults.get("dapo")).containsAllEntriesOf(Map.of("clip-low", "0.2", "clip-high", "0.28"));
        assertThat(defaults.get("gspo")).containsAllEntriesOf(Map.of("clip-low", "3e-4", "clip-high", "4e-4"));
        assertThat(defaults.get("rloo")).isEqualTo(clip);
        assertThat(defaults.get("reinforce-plus-plus")).isEqualTo(clip);
        assertThat(defaults.get("ppo"))
                .containsAllEntriesOf(clip)
                .containsAllEntriesOf(Map.of("value-clip", "0.2", "value-weight", "0.1"));
    }

    @Test
    void boundsAndAnswersThatCannotBeAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Clip(1.5, 0.2, Double.POSITIVE_INFINITY))
                .withMessage("clip-low must be at most 1, but was 1.5");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SampledAnswer(
                        new double[2], new double[0], new double[1], new double[0], new double[0], false))
                .withMessage("An answer of 2 tokens has 1 advantages, 0 reference log-probabilities,"
                        + " 0 values and 0 returns");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SampledAnswer(
                        new double[2], new double[0], new double[2], new double[2], new double[1], false))
                .withMessageContaining("2 values and 1 returns");
    }
}
