package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.model.engine.AnswerCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** GRPO's family and RLOO against TRL 1.13's own losses; PPO, REINFORCE++ and advantages against the papers' formulas. */
class PoliciesAgainstReferencesTest {
    private static final double CLOSE = 1e-9;
    private static final double FLOAT32 = 1e-6; // in which TRL counts what is clipped
    private static final JsonNode ADVANTAGES = Fixtures.read("policies.json").get("advantages");

    static Stream<JsonNode> policies() {
        return Fixtures.elements(Fixtures.read("policies.json").get("policies"));
    }

    @ParameterizedTest
    @MethodSource("policies")
    void lossFiguresAndSlopesAreThoseOfTheReference(JsonNode expected) {
        double[][][] logProbabilities = Fixtures.cube(expected.get("log_probabilities"));
        int n = logProbabilities.length;
        double[][] sampled = Fixtures.matrix(expected.get("sampled"));
        double[][] references = Fixtures.matrix(expected.get("references"));
        double[][] advantages = Fixtures.matrix(expected.get("advantages"));
        boolean critic = expected.has("values");
        double[][] values = critic ? Fixtures.matrix(expected.get("values")) : new double[n][0];
        double[][] oldValues = critic ? Fixtures.matrix(expected.get("old_values")) : new double[n][0];
        double[][] returns = critic ? Fixtures.matrix(expected.get("returns")) : new double[n][0];
        List<List<SampledAnswer>> answers = new ArrayList<>();
        double[][][] said = new double[n][][];
        for (int i = 0; i < n; i++) {
            answers.add(List.of(new SampledAnswer(
                    sampled[i],
                    references[i],
                    advantages[i],
                    oldValues[i],
                    returns[i],
                    expected.get("truncated").get(i).asBoolean())));
            said[i] = new double[][] {values[i]};
        }
        AnswerCall call = new AnswerCall(logProbabilities, said);
        Figures figures = new Figures();

        double loss = Objectives.policy(
                        expected.get("objective").asText(), Fixtures.strings(expected.get("parameters")))
                .evaluate(call, answers, PolicyObjective.Step.of(answers), figures);

        assertThat(loss).isCloseTo(expected.get("loss").asDouble(), within(CLOSE));
        Fixtures.assertFigures(figures, expected.get("figures"), FLOAT32);
        Fixtures.assertSame(Cases.logProbabilitySlopes(call), Fixtures.cube(expected.get("slopes")), CLOSE);
        if (critic) {
            Fixtures.assertSame(Cases.valueSlopes(call), Fixtures.cube(expected.get("value_slopes")), CLOSE);
        }
    }

    private static void assertSame(List<double[]> actual, String name) {
        double[][] expected = Fixtures.matrix(ADVANTAGES.get(name));
        assertThat(actual).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual.get(i)).as(name + " " + i).containsExactly(expected[i], within(CLOSE));
        }
    }

    @Test
    void groupsAreCentredAndScaledAsInTrl() {
        List<double[]> rewards = Arrays.asList(Fixtures.matrix(ADVANTAGES.get("groups")));
        assertSame(GroupAdvantages.centred(rewards, GroupAdvantages.Scale.GROUP), "group");
        assertSame(GroupAdvantages.centred(rewards, GroupAdvantages.Scale.BATCH), "batch");
        assertSame(GroupAdvantages.centred(rewards, GroupAdvantages.Scale.NONE), "none");
        assertSame(GroupAdvantages.leaveOneOut(rewards, false), "leave_one_out");
        assertSame(GroupAdvantages.leaveOneOut(rewards, true), "normalised");
    }

    @Test
    void generalisedAdvantagesAreTheDoubleSumOfThePaper() {
        GeneralisedAdvantage estimate = new GeneralisedAdvantage(0.97, 0.9);
        List<double[]> all = new ArrayList<>();
        for (JsonNode answer : ADVANTAGES.get("answers")) {
            double[] values = Fixtures.vector(answer.get("values"));
            GeneralisedAdvantage.Estimate made = estimate.of(
                    Fixtures.vector(answer.get("rewards")),
                    values,
                    answer.get("truncated").asBoolean());
            assertThat(made.advantages()).containsExactly(Fixtures.vector(answer.get("advantages")), within(CLOSE));
            for (int t = 0; t < made.returns().length; t++) {
                assertThat(made.returns()[t]).isCloseTo(made.advantages()[t] + values[t], within(CLOSE));
            }
            all.add(made.advantages());
        }
        GeneralisedAdvantage.whiten(all);
        assertThat(all.stream().flatMapToDouble(Arrays::stream).toArray())
                .containsExactly(Fixtures.vector(ADVANTAGES.get("white")), within(CLOSE));
    }

    @Test
    void globalAdvantagesAreWhatIsStillToComeNormalisedOverTheBatch() {
        List<double[]> rewards = new ArrayList<>();
        for (JsonNode answer : ADVANTAGES.get("answers")) {
            rewards.add(Fixtures.vector(answer.get("rewards")));
        }
        GlobalAdvantages.of(rewards);
        assertThat(rewards.stream().flatMapToDouble(Arrays::stream).toArray())
                .containsExactly(Fixtures.vector(ADVANTAGES.get("global")), within(CLOSE));
    }
}
