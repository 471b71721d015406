package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.AnswerCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RatingObjectiveTest {
    private static List<RatedAnswer> rated(Random random, int n) {
        List<RatedAnswer> rated = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            rated.add(new RatedAnswer(random.nextBoolean(), 0.1 + random.nextDouble(), -10 * random.nextDouble()));
        }
        return rated;
    }

    /** The running mean is a constant: it has seen so much that one call does not move it. */
    private static RatingObjective settled(String name) {
        RatingObjective objective = Objectives.rating(name, Map.of("beta", "0.5"));
        objective.restore(Map.of("bco_reward_mean", 0.3, "bco_rewards_seen", 1e15));
        return objective;
    }

    @ParameterizedTest
    @ValueSource(strings = {"kto", "apo-zero-unpaired", "bco"})
    void slopesAreThoseOfTheLoss(String name) {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            double[][][] logProbabilities = Cases.logProbabilities(random, 3, 1);
            List<RatedAnswer> rated = rated(random, 3);
            double divergence = 2 * random.nextDouble();
            Cases.assertSlopes(name + ", seed " + seed, logProbabilities, Cases.none(3, 1), call -> settled(name)
                    .evaluate(call, rated, divergence, 2, new Figures()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"kto", "apo-zero-unpaired", "bco"})
    void aStepCutIntoCallsAddsUpToTheSameLossFiguresAndSlopes(String name) {
        Random random = new Random(7);
        double[][][] logProbabilities = Cases.logProbabilities(random, 6, 1);
        List<RatedAnswer> rated = rated(random, 6);
        double weight = rated.stream().mapToDouble(RatedAnswer::weight).sum();
        AnswerCall whole = new AnswerCall(logProbabilities, Cases.none(6, 1));
        Figures wholeFigures = new Figures();
        double loss = settled(name).evaluate(whole, rated, 0.5, weight, wholeFigures);

        RatingObjective objective = settled(name);
        Figures figures = new Figures();
        double sum = 0;
        for (int f = 0; f < 6; f++) {
            AnswerCall part = new AnswerCall(new double[][][] {logProbabilities[f]}, Cases.none(1, 1));
            sum += objective.evaluate(part, List.of(rated.get(f)), 0.5, weight, figures);
            assertThat(part.logProbabilitySlopes(0, 0))
                    .containsExactly(whole.logProbabilitySlopes(f, 0), within(1e-12));
        }
        assertThat(sum).isCloseTo(loss, within(1e-12));
        assertThat(figures.means()).containsKeys("rewards_chosen", "log_probability_rejected", "reward_margin");
        assertThat(figures.means().keySet()).isEqualTo(wholeFigures.means().keySet());
        wholeFigures
                .means()
                .forEach((figure, mean) ->
                        assertThat(figures.means().get(figure)).as(figure).isCloseTo(mean, within(1e-12)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"kto", "apo-zero-unpaired", "bco"})
    void anAnswerOfWeightZeroIsLeftOut(String name) {
        Random random = new Random(5);
        double[][][] logProbabilities = Cases.logProbabilities(random, 2, 1);
        RatedAnswer first = new RatedAnswer(true, 1, -3);
        RatingObjective alone = Objectives.rating(name, Map.of());
        Figures figures = new Figures();
        double loss = alone.evaluate(
                new AnswerCall(new double[][][] {logProbabilities[0]}, Cases.none(1, 1)),
                List.of(first),
                0.5,
                1,
                figures);
        AnswerCall both = new AnswerCall(logProbabilities, Cases.none(2, 1));
        RatingObjective other = Objectives.rating(name, Map.of());
        Figures ofBoth = new Figures();
        assertThat(other.evaluate(both, List.of(first, new RatedAnswer(false, 0, -1)), 0.5, 1, ofBoth))
                .isEqualTo(loss);
        assertThat(ofBoth.means()).isEqualTo(figures.means());
        assertThat(both.logProbabilitySlopes(1, 0)).containsOnly(0);
        assertThat(other.memory()).isEqualTo(alone.memory());
    }

    @Test
    void ktoGivesMostWhereTheRewardIsTheReferencePoint() {
        // r = −2 − (−3) = 1 and z = 1: 1 − σ(0) = 1/2, slope −β·σ(0)·σ(0) = −0.1/4
        AnswerCall call = new AnswerCall(new double[][][] {{{-1.5, -0.5}}}, Cases.none(1, 1));
        double loss = new Kto(0.1, 1, 1).evaluate(call, List.of(new RatedAnswer(true, 1, -3)), 1, 1, new Figures());
        assertThat(loss).isCloseTo(0.5, within(1e-15));
        assertThat(call.logProbabilitySlopes(0, 0)).containsExactly(-0.025, -0.025);
    }

    @Test
    void answersThatDoNotFitAreRefused() {
        AnswerCall two = new AnswerCall(new double[][][] {{{-1}, {-1}}}, Cases.none(1, 2));
        List<RatedAnswer> one = List.of(new RatedAnswer(true, 1, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Bco(0.1).evaluate(two, one, 0, 1, new Figures()))
                .withMessage("Text 0 of the call has 2 answers instead of 1");
        AnswerCall single = new AnswerCall(new double[][][] {{{-1}}}, Cases.none(1, 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Kto(0.1, 1, 1).evaluate(single, one, -1, 1, new Figures()))
                .withMessage("divergence must be 0 or more, but was -1.0");
    }
}
