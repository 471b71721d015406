package io.tidemill.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.rollout.ImportanceCorrection.Form;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What rollouts are measured, corrected, cut and scheduled by. */
class RolloutPartsTest {
    // ---- importance correction --------------------------------------------------------------------------------------

    /** Training's over generation's probability: ½, 2 and 5 of the tokens, 5 of the answer. */
    private static final RolledAnswer UNLIKE = Made.answer(
            0,
            OptionalDouble.empty(),
            new double[] {-1, -3, -3},
            new double[] {-1 - Math.log(2), -3 + Math.log(2), -3 + Math.log(5)},
            new double[0],
            1,
            2,
            3);

    private static double[] weights(Form form, double maximum) {
        double[] weights = new ImportanceCorrection(form, maximum).weights(UNLIKE);
        return Arrays.stream(weights).map(w -> Math.rint(w * 1e9) / 1e9).toArray();
    }

    @Test
    void tokensCountByHowMuchLikelierTrainingThinksThemUpToAMaximum() {
        assertThat(weights(Form.NONE, 3)).containsExactly(1, 1, 1);
        assertThat(weights(Form.TOKEN_TRUNCATE, 3)).containsExactly(0.5, 2, 3);
        assertThat(weights(Form.TOKEN_MASK, 3)).containsExactly(0.5, 2, 0);
        assertThat(weights(Form.SEQUENCE_TRUNCATE, 3)).containsExactly(3, 3, 3);
        assertThat(weights(Form.SEQUENCE_MASK, 3)).containsExactly(0, 0, 0);
        assertThat(weights(Form.SEQUENCE_MASK, 6)).containsExactly(5, 5, 5);
    }

    @Test
    void aCorrectionIsNamedAsInTrlWithHyphens() {
        assertThat(Form.of("token-truncate")).isEqualTo(Form.TOKEN_TRUNCATE);
        assertThatThrownBy(() -> Form.of("token"))
                .hasMessage("The importance correction must be one of [none, token-truncate, token-mask,"
                        + " sequence-truncate, sequence-mask], but was token");
        assertThatThrownBy(() -> new ImportanceCorrection(Form.NONE, 0.5)).hasMessageContaining("but was 0.5");
    }

    // ---- figures ----------------------------------------------------------------------------------------------------

    @Test
    void figuresAreMeansOverAnswersAndTokens() {
        RolledAnswer far = Made.answer(
                3, // rewards 3, 1, 1, 1: mean 1.5, variance 0.75
                OptionalDouble.of(2),
                new double[] {-1, -1},
                new double[] {-1.25, -1},
                new double[] {-1.25 - Math.log(2), -1}, // log π − log ref: log 2 and 0
                7,
                8);
        double[] one = {-1};
        RolledAnswer near = Made.answer(1, OptionalDouble.of(0), one, one, one, 7);
        HarvestFigures figures =
                HarvestFigures.of(Made.harvest(Made.rollout("a", far, near), Made.rollout("b", near, near)));
        assertThat(figures.rewardMean()).isEqualTo(1.5);
        assertThat(figures.rewardVariance()).isEqualTo(0.75);
        assertThat(figures.heldOutMean()).isEqualTo(0.5);
        assertThat(figures.kl()).isCloseTo(Math.log(2) / 4, within(1e-12)); // a nat an answer
        assertThat(figures.klOfToken()).isCloseTo((Math.log(2) - 0.5) / 5, within(1e-12)); // over 5 tokens
        assertThat(figures.length()).isEqualTo(1.25);
        assertThat(figures.repeated()).isEqualTo(0.5); // 2 distinct of 4
        assertThat(figures.all())
                .containsEntry("groups_without_signal_share", 0.5)
                .containsEntry("reward/rule", 1.5)
                .containsEntry("held_out_reward", 0.5)
                .containsEntry("sampling_difference", 0.25 / 2 / 4)
                .containsEntry("truncated_share", 0.0);
    }

    @Test
    void withoutAReferenceOrAHeldOutRewardNothingIsSaidOfThem() {
        RolledAnswer alone =
                Made.answer(1, OptionalDouble.empty(), new double[] {-1}, new double[] {-1}, new double[0], 7);
        assertThat(HarvestFigures.of(Made.harvest(Made.rollout("a", alone))).all())
                .doesNotContainKeys("kl", "kl_per_token", "held_out_reward");
        assertThat(HarvestFigures.of(Made.harvest()).all().values()).allMatch(Double::isFinite);
    }

    // ---- cutting into texts -----------------------------------------------------------------------------------------

    @Test
    void everyAnswerGoesIntoOneTextInOrderAndNoTextIsLongerThanItMustBe() {
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            List<Rollout> rollouts = new ArrayList<>();
            for (int r = 0; r < 1 + random.nextInt(4); r++) {
                RolledAnswer[] answers = new RolledAnswer[1 + random.nextInt(6)];
                Arrays.setAll(answers, a -> Made.answer(0, new int[1 + random.nextInt(1500)]));
                rollouts.add(Made.rollout("p" + r, answers));
            }
            int most = 1 + random.nextInt(6);
            AnswerTexts texts = new AnswerTexts(rollouts, most);
            List<int[]> all = new ArrayList<>();
            for (int f = 0; f < texts.texts().size(); f++) {
                PromptAnswers text = texts.texts().get(f);
                AnswerTexts.Cut cut = texts.cuts().get(f);
                assertThat(text.answers()).as("seed " + seed).hasSize(cut.to() - cut.from());
                assertThat(text.answers().size()).isLessThanOrEqualTo(most);
                assertThat(text.answers().size() == 1 || text.prompt().length + text.answerTokens() <= 2048)
                        .as("seed " + seed)
                        .isTrue();
                all.addAll(text.answers());
            }
            List<int[]> expected = rollouts.stream()
                    .flatMap(rollout -> rollout.answers().stream())
                    .map(RolledAnswer::tokens)
                    .toList();
            assertThat(all).as("seed " + seed).containsExactlyElementsOf(expected);
        }
    }

    // ---- schedule ---------------------------------------------------------------------------------------------------

    private static List<Long> draws(RolloutSettings settings) {
        return LongStream.rangeClosed(1, 9).map(settings::drawnBefore).boxed().toList();
    }

    @Test
    void answersAreDrawnWhenAllPassesOverThemAreDoneOrTheyAreTooOld() {
        assertThat(draws(RolloutSettings.onPolicy(8, 4, 9))).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
        RolloutSettings twice = new RolloutSettings(8, 4, 2, 2, 100, 0, false, 9);
        assertThat(draws(twice)).containsExactly(1L, 1L, 1L, 1L, 5L, 5L, 5L, 5L, 9L);
        assertThat(twice.refusedUses(32)).isZero();
        RolloutSettings fresh = new RolloutSettings(8, 4, 2, 2, 2, 0, false, 9);
        assertThat(draws(fresh)).containsExactly(1L, 1L, 1L, 4L, 4L, 4L, 7L, 7L, 7L);
        assertThat(fresh.refusedUses(32)).isEqualTo(16); // the last half of the second pass
    }

    @Test
    void stepsAskEveryPromptAsOftenAsWanted() {
        assertThat(RolloutSettings.stepsOf(10, 2, 8, 4)).isEqualTo(12); // 20 prompts in 3 draws of 8
    }

    @Test
    void settingsThatCannotBeKeptAreRefused() {
        assertThatThrownBy(() -> new RolloutSettings(8, 4, 4, 1, 2, 0, false, 9))
                .hasMessageContaining(
                        "The last of 4 mini-batches is 3 steps old when its turn comes, but maximum-age is 2");
        assertThatThrownBy(() -> new RolloutSettings(2, 4, 4, 1, 9, 0, false, 9))
                .hasMessageContaining("2 prompts were to make 4 mini-batches");
        assertThatThrownBy(() -> new RolloutSampling(0, 1, 0, 0, 1, 8, Set.of(), 4))
                .hasMessageContaining("temperature must be above 0");
    }

    // ---- choosing among answers -------------------------------------------------------------------------------------

    @Test
    void onlyAPromptWhoseAnswersDifferInWorthMakesAPair() {
        RolloutLearning learning = Algorithms.of("online-dpo", Map.of(), 8, 24);
        assertThat(learning.teaches(Made.rollout("a", Made.answer(1, 5), Made.answer(1, 6))))
                .isFalse();
        assertThat(learning.teaches(Made.rollout("a", Made.answer(1, 5), Made.answer(2, 6))))
                .isTrue();
    }

    @Test
    void aBestAnswerBelowTheThresholdIsNotLearnedAndALongOneKeepsItsPrompt() {
        BestAnswers learning = new BestAnswers(OptionalDouble.of(1.5), 4, 3);
        assertThat(learning.teaches(Made.rollout("a", Made.answer(1, 5)))).isFalse();
        Rollout rollout = Made.rollout("a", Made.answer(1, 5), Made.answer(2, 6, 7, 8, 9, 10, 11));
        assertThat(learning.teaches(rollout)).isTrue();
        Lesson lesson = learning.lesson(Made.harvest(rollout));
        assertThat(lesson.figures()).containsEntry("best_reward", 2.0);
        assertThat(lesson.batch(List.of(0)).tokens()).isEqualTo(6); // of 8, two are the prompt's
        assertThat(lesson.batch(List.of(0)).longest()).isEqualTo(7); // in one row, though rows have 3 positions
        assertThat(lesson.batch(List.of()).tokens()).isZero();
    }
}
