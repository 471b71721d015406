package io.tidemill.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class RewardGuardTest {
    private static final RewardGuard GUARD = new RewardGuard(RewardGuard.Action.STOP, 2, 0.1, 2, 0.5, 0.3, 4);

    /** One harvest of 16 answers. */
    private static Harvest harvest(IntFunction<RolledAnswer> answer) {
        RolledAnswer[] answers = new RolledAnswer[16];
        Arrays.setAll(answers, answer::apply);
        return Made.harvest(Made.rollout("a", answers));
    }

    /** Distinct answers of that length, none of which says anything twice. */
    private static RolledAnswer plain(int i, int length, double reward, OptionalDouble heldOut) {
        int[] tokens = new int[length];
        Arrays.setAll(tokens, t -> 100 * i + t);
        double[] half = new double[length];
        Arrays.fill(half, Math.log(0.5));
        return Made.answer(reward, heldOut, half, half, half, tokens);
    }

    private static Harvest plain(int length) {
        return harvest(i -> plain(i, length, i % 2, OptionalDouble.empty()));
    }

    /** Alarms of each harvest, looked at in order; what is remembered goes through a map, as in a stage. */
    private static List<List<String>> looks(RewardGuard guard, Harvest... harvests) {
        List<List<String>> alarms = new ArrayList<>();
        Map<String, Double> memory = new TreeMap<>(Map.of("prompts_asked", 3.0));
        for (Harvest harvest : harvests) {
            RewardGuard.Look look = guard.look(HarvestFigures.of(harvest), memory);
            alarms.add(look.alarms());
            assertThat(look.memory().keySet()).allMatch(name -> name.startsWith("guard_"));
            assertThat(look.memory().values()).allMatch(Double::isFinite);
            memory.putAll(look.memory());
        }
        return alarms;
    }

    @Test
    void nothingIsWrongWhereNothingChanges() {
        assertThat(looks(GUARD, plain(8), plain(9), plain(8), plain(7), plain(8), plain(10)))
                .allMatch(List::isEmpty);
    }

    @Test
    void aPolicyFarFromItsReferenceIsAnAlarmAtOnce() {
        // k3 with ref/π = ½: ½ − 1 + log 2 = 0.1931 nats a token
        Harvest far = harvest(i -> Made.answer(
                1, OptionalDouble.empty(), new double[] {-1}, new double[] {-1}, new double[] {-1 - Math.log(2)}, i));
        assertThat(looks(GUARD, far).get(0))
                .containsExactly("the divergence from the reference is 0.1931 nats a token, above 0.1000");
    }

    @Test
    void lengthThatGrowsOrShrinksByMoreThanItsFactorIsAnAlarmOnceBothWindowsAreThere() {
        List<List<String>> grown = looks(GUARD, plain(8), plain(8), plain(40), plain(12), plain(17));
        assertThat(grown.subList(0, 3)).allMatch(List::isEmpty);
        assertThat(grown.get(3))
                .containsExactly("answers have 26.00 tokens and had 8.000, further apart than a factor of 2.000");
        assertThat(grown.get(4)).isEmpty(); // (12 + 17)/2 is below 16 again
        assertThat(looks(GUARD, plain(8), plain(8), plain(3), plain(4)).get(3))
                .containsExactly("answers have 3.500 tokens and had 8.000, further apart than a factor of 2.000");
    }

    @Test
    void answersThatAreAllTheSameAreAnAlarm() {
        Harvest same = harvest(i -> Made.answer(1, 1, 2, 3, 4, 5, 6, 7, 8));
        assertThat(looks(GUARD, plain(8), plain(8), same, same).get(3))
                .containsExactly(
                        "the share of answers that are another one over again is 0.9375 and was 0.000, a rise of"
                                + " more than 0.5000");
        assertThat(looks(GUARD, same, same, same, same)).allMatch(List::isEmpty); // it was so before
    }

    @Test
    void answersThatRepeatThemselvesAreAnAlarm() {
        Harvest babble = harvest(i -> Made.answer(1, i, i, i, i, i, i, i, i));
        assertThat(looks(GUARD, plain(8), plain(8), babble, babble).get(3))
                .containsExactly(
                        "the share of 3-grams that their answer has said before is 0.8333 and was 0.000, a rise of"
                                + " more than 0.3000"); // 6 of them, 1 distinct
    }

    private static Harvest judged(Random random, double reward, double heldOut) {
        return harvest(i -> plain(
                i, 8, reward + 0.1 * random.nextGaussian(), OptionalDouble.of(heldOut + 0.1 * random.nextGaussian())));
    }

    @Test
    void aRewardThatRisesWhileTheHeldOutOneFallsIsAnAlarm() {
        Random random = new Random(1);
        assertThat(looks(
                                GUARD,
                                judged(random, 0, 1),
                                judged(random, 0, 1),
                                judged(random, 0.5, 0.8),
                                judged(random, 0.9, 0.5))
                        .get(3))
                .singleElement()
                .asString()
                .startsWith("the reward rose from ")
                .contains(" while the held-out one fell from ");
    }

    @Test
    void rewardsThatRiseTogetherOrMoveByChanceAreNone() {
        Random random = new Random(1);
        assertThat(looks(
                        GUARD,
                        judged(random, 0, 1),
                        judged(random, 0, 1),
                        judged(random, 0.5, 1.5),
                        judged(random, 0.9, 1.9)))
                .allMatch(List::isEmpty);
        assertThat(looks(
                        GUARD,
                        judged(random, 0, 1),
                        judged(random, 0, 1),
                        judged(random, 0.01, 0.99),
                        judged(random, 0.01, 0.99)))
                .allMatch(List::isEmpty);
    }

    @Test
    void aGuardThatIsOffSeesNothing() {
        assertThat(looks(RewardGuard.NONE, plain(8), plain(80), plain(800))).allMatch(List::isEmpty);
    }

    @Test
    void limitsThatWouldAlwaysOrNeverAlarmAreRefused() {
        assertThatThrownBy(() -> new RewardGuard(RewardGuard.Action.STOP, 0, 1, 2, 0.5, 0.3, 4))
                .hasMessageContaining("at least 1 harvest, but was 0");
        assertThatThrownBy(() -> new RewardGuard(RewardGuard.Action.STOP, 2, 1, 1, 0.5, 0.3, 4))
                .hasMessageContaining("length factor 1.0");
        assertThatThrownBy(() -> new RewardGuard(RewardGuard.Action.STOP, 2, 0, 2, 0.5, 0.3, 4))
                .hasMessageContaining("they were kl 0.0");
    }
}
