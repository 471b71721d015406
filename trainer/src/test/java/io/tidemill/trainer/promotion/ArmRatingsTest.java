package io.tidemill.trainer.promotion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Rating;
import io.tidemill.proto.v1.Thumb;
import io.tidemill.proto.v1.Withdrawal;
import io.tidemill.trainer.promotion.PromotionSettings.Canary;
import io.tidemill.trainer.promotion.PromotionSettings.Requires;
import io.tidemill.trainer.promotion.PromotionSettings.Undecided;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ArmRatingsTest {
    private static final Instant SINCE = Instant.parse("2026-11-29T10:00:00Z");
    private static final String CANARY = "m-000002";
    private static final String CHAMPION = "m-000001";

    private final ArmRatings ratings = new ArmRatings(announced(10));
    private long offset;

    static CheckpointEvent announced(long minimum) {
        return CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion(CANARY)
                .setParent(CHAMPION)
                .setCanary(new Canary(
                                0.1,
                                0.05,
                                0.1,
                                Requires.NON_INFERIORITY,
                                minimum,
                                Duration.ofHours(1),
                                Undecided.ROLL_BACK)
                        .rule(SINCE))
                .build();
    }

    @Test
    void aDifferenceIsTheMeanOfBothArmsSinceTheLastOne() {
        answer("a", CHAMPION, "talk 1");
        answer("b", CHAMPION, "talk 2");
        answer("c", CANARY, "talk 3");
        answer("d", CANARY, "talk 4");
        answer("e", CHAMPION, "talk 5");
        take(thumb("a", true).build());
        take(thumb("b", false).build());
        stars("c", 4, 5); // 0.75 − (1 + 0)/2
        take(thumb("d", false).build());
        take(thumb("e", true).build()); // 0 − 1
        CanaryFigures figures = ratings.figures();
        assertThat(figures.getComparisons()).isEqualTo(2);
        assertThat(figures.getDifference()).isCloseTo((0.25 - 1) / 2, within(1e-12));
        assertThat(figures.getChampion().getRated()).isEqualTo(3);
        assertThat(figures.getChampion().getMeanScore()).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(figures.getCanary().getRated()).isEqualTo(2);
        assertThat(figures.getCanary().getMeanScore()).isCloseTo(0.375, within(1e-12));
        assertThat(figures.getCanary().getCompletions()).isEqualTo(2);
    }

    @Test
    void aConversationCountsOnceByWhatItSaidFirstAndAWithdrawalMovesNothing() {
        answer("a", CHAMPION, "talk 1");
        answer("b", CANARY, "talk 2");
        answer("c", CANARY, "talk 2");
        take(thumb("a", true).build());
        take(thumb("b", false).build());
        take(thumb("b", true).build());
        take(thumb("c", true).build());
        take(Feedback.newBuilder()
                .setWithdrawal(Withdrawal.newBuilder().setFeedbackId("of the first"))
                .build());
        answer("d", CHAMPION, "talk 3");
        take(thumb("d", true).build());
        CanaryFigures figures = ratings.figures();
        assertThat(figures.getCanary().getRated()).isEqualTo(1);
        assertThat(figures.getComparisons()).isEqualTo(1);
        assertThat(figures.getDifference()).isEqualTo(-1);
    }

    @Test
    void answersWhoseArmWasNotDrawnAndThoseOfOtherVersionsDoNotCount() {
        answer("a", CHAMPION, "talk 1");
        ratings.take(completion("named", CANARY, "talk 2").build());
        ratings.take(
                completion("old", "m-000000", "talk 3").setCanaryVersion(CANARY).build());
        take(thumb("a", true).build());
        take(thumb("named", true).build());
        take(thumb("old", true).build());
        take(thumb("never seen", true).build());
        CanaryFigures figures = ratings.figures();
        assertThat(figures.getComparisons()).isZero();
        assertThat(figures.getCanary().getRated()).isZero();
        assertThat(figures.getChampion().getRated()).isEqualTo(1);
    }

    @Test
    void aChoiceBetweenTheArmsIsADifferenceAndOneWithinAnArmIsAScore() {
        answer("a", CHAMPION, "talk 1");
        answer("b", CANARY, "talk 2");
        compare("a", "b", Comparison.Verdict.B_BETTER);
        assertThat(ratings.figures().getComparisons()).isEqualTo(1);
        assertThat(ratings.figures().getDifference()).isEqualTo(1);

        answer("c", CHAMPION, "talk 3");
        answer("d", CHAMPION, "talk 3");
        answer("e", CANARY, "talk 4");
        answer("f", CANARY, "talk 4");
        compare("c", "d", Comparison.Verdict.A_BETTER);
        compare("e", "f", Comparison.Verdict.BOTH_BAD);
        assertThat(ratings.figures().getComparisons()).isEqualTo(2);
        assertThat(ratings.figures().getDifference()).isZero();
        assertThat(ratings.figures().getCanary().getMeanScore()).isZero();
        assertThat(ratings.figures().getChampion().getMeanScore()).isEqualTo(1);
    }

    @Test
    void theOrderInWhichRecordsAreReadChangesNothing() {
        Random random = new Random(11);
        for (int round = 0; round < 500; round++) {
            List<Runnable> records = new ArrayList<>();
            ArmRatings straight = new ArmRatings(announced(10));
            ArmRatings shuffled = new ArmRatings(announced(10));
            int number = random.nextInt(120);
            for (int i = 0; i < number; i++) {
                boolean canary = random.nextInt(4) == 0;
                String talk = "talk " + random.nextInt(60) + (canary ? "c" : "");
                Completion completion = completion("x" + i, canary ? CANARY : CHAMPION, talk)
                        .setCanaryVersion(CANARY)
                        .build();
                Feedback feedback = thumb("x" + i, random.nextBoolean()).build();
                long at = SINCE.toEpochMilli() + random.nextInt(50);
                int partition = i % 6;
                long place = i;
                straight.take(completion);
                straight.take(feedback, at, partition, place);
                records.add(() -> shuffled.take(completion));
                records.add(() -> shuffled.take(feedback, at, partition, place));
                if (random.nextInt(10) == 0) {
                    records.add(() -> shuffled.figures());
                }
            }
            Collections.shuffle(records, random);
            records.forEach(Runnable::run);
            assertThat(shuffled.figures()).as("round %d of seed 11", round).isEqualTo(straight.figures());
            assertThat(shuffled.good()).isEqualTo(straight.good());
        }
    }

    @Test
    void itIsDecidedByTheFirstRatingThatShowsEnoughAndNothingThatComesLaterChangesIt() {
        for (int i = 0; i < 200; i++) {
            answer("h" + i, CHAMPION, "h" + i);
            answer("c" + i, CANARY, "c" + i);
            take(thumb("h" + i, i % 4 != 0).build());
            take(thumb("c" + i, i % 3 == 0).build());
        }
        assertThat(ratings.good()).contains(false);
        CanaryFigures decided = ratings.figures();
        assertThat(decided.getEvidenceAgainst()).isGreaterThanOrEqualTo(20);
        assertThat(decided.getComparisons()).isLessThan(200);
        for (int i = 200; i < 1_000; i++) {
            answer("h" + i, CHAMPION, "h" + i);
            answer("c" + i, CANARY, "c" + i);
            take(thumb("h" + i, false).build());
            take(thumb("c" + i, true).build());
        }
        assertThat(ratings.good()).contains(false);
        assertThat(ratings.figures().getComparisons()).isEqualTo(decided.getComparisons());
    }

    @Test
    void nothingIsDecidedOnFewerRatingsThanAsked() {
        ArmRatings patient = new ArmRatings(announced(30));
        for (int i = 0; i < 29; i++) {
            for (String arm : List.of(CANARY, CHAMPION)) {
                patient.take(completion(arm + i, arm, arm + i)
                        .setCanaryVersion(CANARY)
                        .build());
                patient.take(thumb(arm + i, arm.equals(CANARY)).build(), SINCE.toEpochMilli() + i, 0, 2 * i);
            }
        }
        assertThat(patient.figures().getEvidenceFor()).isGreaterThan(20);
        assertThat(patient.good()).isEmpty();
    }

    @Test
    void whatIsSaidAfterItsTimeDoesNotCount() {
        answer("a", CHAMPION, "talk 1");
        ratings.take(thumb("a", true).build(), SINCE.plusSeconds(3601).toEpochMilli(), 0, 0);
        assertThat(ratings.figures().getChampion().getRated()).isZero();
    }

    private void answer(String id, String version, String conversation) {
        ratings.take(
                completion(id, version, conversation).setCanaryVersion(CANARY).build());
    }

    private static Completion.Builder completion(String id, String version, String conversation) {
        return Completion.newBuilder()
                .setCompletionId(id)
                .setModelVersion(version)
                .setGroupId(conversation);
    }

    private static Feedback.Builder thumb(String id, boolean up) {
        return Feedback.newBuilder()
                .setThumb(Thumb.newBuilder().setCompletionId(id).setUp(up));
    }

    private void stars(String id, int stars, int outOf) {
        take(Feedback.newBuilder()
                .setRating(
                        Rating.newBuilder().setCompletionId(id).setStars(stars).setOutOf(outOf))
                .build());
    }

    private void compare(String a, String b, Comparison.Verdict verdict) {
        take(Feedback.newBuilder()
                .setComparison(Comparison.newBuilder()
                        .setCompletionA(a)
                        .setCompletionB(b)
                        .setVerdict(verdict))
                .build());
    }

    private void take(Feedback feedback) {
        ratings.take(feedback, SINCE.toEpochMilli() + offset, 0, offset++);
    }
}
