package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Thumb;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.promotion.Policy;
import io.tidemill.trainer.promotion.PromotionSettings;
import io.tidemill.trainer.promotion.PromotionSettings.Canary;
import io.tidemill.trainer.promotion.PromotionSettings.Requires;
import io.tidemill.trainer.promotion.PromotionSettings.Undecided;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What becomes of a version that passed its gate, on a real broker. */
class PromotionTest extends TrainerRig {
    private static final String CHAMPION = "tiny-000000";
    private static final String NEXT = "tiny-000001";
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private static PromotionSettings byHand(Duration patience) {
        return new PromotionSettings(Policy.BY_HAND, patience, PromotionSettings.AT_ONCE.canary());
    }

    private static PromotionSettings canary(Duration patience, Undecided undecided) {
        return new PromotionSettings(
                Policy.CANARY,
                Duration.ZERO,
                new Canary(0.25, 0.05, 0.1, Requires.NON_INFERIORITY, 10, patience, undecided));
    }

    private Trainer start(TestLog log, PromotionSettings promotion) {
        return start(promoting(options(log, data, settings(0.01), base), promotion), System::nanoTime);
    }

    /** A trainer whose first round has passed its gate. */
    private Trainer passed(TestLog log, PromotionSettings promotion) {
        Trainer trainer = start(log, promotion);
        log.documents(0, 10, 100);
        log.startRound(MODEL);
        awaitVersion(log, 1, promotion.policy().announced());
        return trainer;
    }

    @Test
    void aCandidateWaitsForAPersonAndRoundsWaitWithItUntilItIsPromoted() throws Exception {
        TestLog log = log(base);
        Trainer trainer = passed(log, byHand(Duration.ZERO));
        assertThat(Manifest.read(directory(data, 1)).event().getState()).isEqualTo(VersionState.CANDIDATE);
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        awaitNotice(log, "a round was asked for, but tiny-000001 passed its gate and waits for a person");
        trainer.close();
        Trainer next = start(log, byHand(Duration.ZERO));
        await().atMost(LONG).until(() -> next.status().ready());

        promote(log, NEXT);
        awaitVersion(log, 1, VersionState.PROMOTED);
        log.startRound(MODEL);
        CheckpointEvent second = awaitVersion(log, 2, VersionState.CANDIDATE);
        assertThat(second.getParent()).isEqualTo(NEXT);
        assertThat(second.getLineage().getExamplesMap()).containsEntry(Stages.PRETRAIN, 8L);
        assertThat(log.checkpoints()).hasSize(4);
    }

    @Test
    void aDeclinedCandidateIsRefusedAndTheNextRoundsReadItsRangeAgainInHalves() {
        TestLog log = log(base);
        passed(log, byHand(Duration.ZERO));
        rollback(log, NEXT, "it rambles");
        CheckpointEvent declined = awaitVersion(log, 1, VersionState.REFUSED);
        assertThat(declined.getReason()).startsWith("Declined by hand: it rambles (command ");
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        CheckpointEvent second = awaitVersion(log, 2, VersionState.CANDIDATE);
        assertThat(second.getParent()).isEqualTo(CHAMPION);
        assertThat(second.getLineage().getExamplesMap().get(Stages.PRETRAIN)).isBetween(1L, 7L); // of 8
    }

    @Test
    void aCandidateThatNobodyDecidesAboutIsRefusedInTheEnd() {
        TestLog log = log(base);
        passed(log, byHand(Duration.ofMillis(300)));
        assertThat(awaitVersion(log, 1, VersionState.REFUSED).getReason())
                .isEqualTo("Nobody decided within PT0.3S (trainer.promotion.patience).");
    }

    @Test
    void aCanaryThatIsRatedAsWellAsTheChampionIsPromotedWhateverIsRestarted() throws Exception {
        TestLog log = log(base);
        Trainer trainer = passed(log, canary(Duration.ofHours(1), Undecided.ROLL_BACK));
        CanaryFigures rule = awaitVersion(log, 1, VersionState.CANARY).getCanary();
        assertThat(rule.getShare()).isEqualTo(0.25);
        assertThat(rule.getEvidenceNeeded()).isEqualTo(20);
        assertThat(Manifest.read(directory(data, 1)).event().getCanary()).isEqualTo(rule);

        rated(log, 0, 8, 0.9, 0.6);
        await().atMost(LONG)
                .until(() -> trainer.status().round().getCanary().getCanary().getRated() == 8
                        && trainer.status().round().getCanary().getChampion().getRated() == 8);
        assertThat(trainer.status().round().getMessage()).contains("answers 25 % of the conversations as a canary");
        trainer.close();
        start(log, canary(Duration.ofMillis(1), Undecided.ROLL_BACK)); // the rule is that of the announcement
        rated(log, 8, 60, 0.9, 0.6);

        CheckpointEvent promoted = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(promoted.getReason()).startsWith("The canary is promoted: its ratings show that it is not worse");
        CanaryFigures figures = promoted.getCanary();
        assertThat(figures.getEvidenceFor()).isGreaterThanOrEqualTo(20);
        assertThat(figures.getComparisons()).isBetween(10L, 60L);
        assertThat(figures.getCanary().getMeanScore()).isCloseTo(0.9, within(0.15));
        assertThat(figures.getDifferenceLow()).isGreaterThan(-0.1);
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        assertThat(awaitVersion(log, 2, VersionState.CANARY).getParent()).isEqualTo(NEXT);
    }

    @Test
    void aCanaryThatIsRatedWorseIsRolledBack() {
        TestLog log = log(base);
        passed(log, canary(Duration.ofHours(1), Undecided.PROMOTE));
        rated(log, 0, 60, 0.1, 0.8);
        CheckpointEvent refused = awaitVersion(log, 1, VersionState.REFUSED);
        assertThat(refused.getReason())
                .startsWith("The canary is rolled back: its ratings show that it is worse by more than the margin");
        assertThat(refused.getCanary().getEvidenceAgainst()).isGreaterThanOrEqualTo(20);
        assertThat(directory(data, 1).resolve("config.json")).exists(); // it can still be promoted by hand
        promote(log, NEXT);
        awaitVersion(log, 1, VersionState.PROMOTED);
    }

    @Test
    void aCanaryThatNobodyRatesIsDecidedByItsTimeAndTheSetting() {
        TestLog log = log(base);
        Trainer trainer = passed(log, canary(Duration.ofMillis(500), Undecided.PROMOTE));
        assertThat(awaitVersion(log, 1, VersionState.PROMOTED).getReason())
                .startsWith("The canary is promoted: its time is over, and its ratings show neither");
        trainer.close();
        start(log, canary(Duration.ofMillis(500), Undecided.ROLL_BACK));
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        assertThat(awaitVersion(log, 2, VersionState.REFUSED).getReason())
                .startsWith("The canary is rolled back: its time is over");
    }

    @Test
    void aRollbackOfTheChampionTakesTheCanaryThatWasTrainedFromItAlong() {
        TestLog log = log(base);
        passed(log, canary(Duration.ofHours(1), Undecided.ROLL_BACK));
        promote(log, NEXT);
        awaitVersion(log, 1, VersionState.PROMOTED);
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        awaitVersion(log, 2, VersionState.CANARY);

        rollback(log, "", "both ramble");
        awaitVersion(log, 1, VersionState.ROLLED_BACK);
        assertThat(awaitVersion(log, 2, VersionState.REFUSED).getReason())
                .startsWith("Given up: the version that it was trained from is rolled back.");
        log.documents(20, 30, 100);
        log.startRound(MODEL);
        assertThat(awaitVersion(log, 3, VersionState.CANARY).getParent()).isEqualTo(CHAMPION);
    }

    /** Conversations {@code from} to {@code to} on either arm, of which a share is rated up. */
    private static void rated(TestLog log, int from, int to, double canary, double champion) {
        for (int i = from; i < to; i++) {
            rated(log, NEXT, i, canary);
            rated(log, CHAMPION, i, champion);
        }
    }

    private static void rated(TestLog log, String version, int i, double share) {
        String id = version + "-" + i;
        log.send(
                log.topics().completions().name(),
                id,
                Completion.newBuilder()
                        .setCompletionId(id + "/0")
                        .setTurnId(id)
                        .setGroupId("session:" + id)
                        .setModelVersion(version)
                        .setCanaryVersion(NEXT)
                        .addMessages(io.tidemill.proto.v1.ChatMessage.newBuilder()
                                .setRole("user")
                                .setContent("Well?"))
                        .build());
        boolean up = Math.floor((i + 1) * share) > Math.floor(i * share);
        log.send(
                log.topics().feedback().name(),
                id,
                Feedback.newBuilder()
                        .setFeedbackId("feedback-" + id)
                        .setTurnId(id)
                        .setThumb(Thumb.newBuilder().setCompletionId(id + "/0").setUp(up))
                        .build());
    }

    private static void rollback(TestLog log, String version, String reason) {
        Command.Builder command = Command.newBuilder().setModel(MODEL);
        command.getRollbackBuilder().setVersion(version).setReason(reason);
        log.command(command);
    }
}
