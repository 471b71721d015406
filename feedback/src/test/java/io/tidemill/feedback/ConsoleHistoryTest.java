package io.tidemill.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Timestamps;
import com.microsoft.playwright.Locator;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tidemill.feedback.testing.Kafka;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import io.tidemill.proto.Readers;
import io.tidemill.proto.v1.ArmFigures;
import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.SliceAccount;
import io.tidemill.proto.v1.TopicAccount;
import io.tidemill.proto.v1.VersionState;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What the page tells of versions and rounds, and what a reader decides there. */
@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class ConsoleHistoryTest extends ConsoleInChromium {
    private static final CanaryFigures FIGURES = CanaryFigures.newBuilder()
            .setShare(0.5)
            .setMargin(0.1)
            .setDifference(0.02)
            .setDifferenceLow(-0.08)
            .setDifferenceHigh(0.12)
            .setEvidenceFor(7.5)
            .setEvidenceAgainst(0.4)
            .setEvidenceNeeded(20)
            .setComparisons(61)
            .setCanary(ArmFigures.newBuilder().setCompletions(90).setRated(64).setMeanScore(0.71))
            .setChampion(
                    ArmFigures.newBuilder().setCompletions(800).setRated(503).setMeanScore(0.69))
            .setSince(Timestamps.fromMillis(1_800_000_000_000L))
            .setUntil(Timestamps.fromMillis(1_800_086_400_000L))
            .build();

    @Test
    void theCanaryIsShownWithBothArmsAndAReaderDeclinesIt() {
        String champion = Serving.promote();
        String canary = Serving.nextVersion();
        CheckpointEvent event = Serving.store().promoted(canary, champion);
        Serving.announce(event.toBuilder()
                .setState(VersionState.CANARY)
                .setCanary(FIGURES)
                .build());
        page.locator("#canary-told")
                .getByText("It answers 50 % of the conversations")
                .waitFor();
        Kafka.append(
                Kafka.topics().rounds(),
                "tidemill",
                RoundEvent.newBuilder()
                        .setModel("tidemill")
                        .setPhase(Phase.WAITING)
                        .setCanary(FIGURES)
                        .build());
        assertThat(page.locator("#canary-heading").innerText()).isEqualTo(canary + " is a canary");
        Locator rows = page.locator("#canary-arms tbody tr");
        assertThat(rows.nth(0).innerText()).contains(canary).contains("64").contains("0.71");
        assertThat(rows.nth(1).innerText()).contains(champion).contains("503").contains("0.69");
        assertThat(page.locator("#canary-evidence").getAttribute("aria-label"))
                .contains("Evidence for the canary 7.5, against it 0.4, needed 20")
                .contains("+0.02 [-0.08, +0.12], margin 0.1, 61 comparisons");
        screenshot("canary.png");

        page.locator("#canary-decline").click();
        awaitCommand(command ->
                command.hasRollback() && command.getRollback().getVersion().equals(canary));
        Serving.announce(event.toBuilder().setState(VersionState.REFUSED).build());
        page.locator("#canary")
                .waitFor(new Locator.WaitForOptions()
                        .setState(com.microsoft.playwright.options.WaitForSelectorState.HIDDEN));
    }

    @Test
    void aReaderPromotesACandidate() {
        String champion = Serving.promote();
        String candidate = Serving.nextVersion();
        CheckpointEvent event = Serving.store().promoted(candidate, champion);
        Serving.announce(event.toBuilder().setState(VersionState.CANDIDATE).build());
        page.locator("#canary-heading").getByText(candidate + " waits for you").waitFor();
        assertThat(page.locator("#canary-arms").isVisible()).isFalse();
        page.locator("#canary-promote").click();
        awaitCommand(command ->
                command.hasPromote() && command.getPromote().getVersion().equals(candidate));
        Serving.announce(event.toBuilder().setState(VersionState.REFUSED).build());
    }

    @Test
    void oneClickRollsBackAndTheTreeShowsParentsAndStates() {
        String parent = Serving.promote();
        String child = Serving.promote();
        page.locator("#rollback").getByText("Roll back to " + parent).waitFor();
        assertThat(page.locator("#lineage").getAttribute("aria-label")).contains(child + " promoted from " + parent);
        assertThat(page.locator("#lineage a.serving").getAttribute("aria-label"))
                .isEqualTo(child + ", promoted, serving");
        long before = commands(Command::hasRollback).size();
        page.locator("#rollback").click();
        await().atMost(Serving.PATIENCE)
                .until(() -> commands(Command::hasRollback).size() > before);
        assertThat(commands(Command::hasRollback)
                        .get((int) before)
                        .getRollback()
                        .getVersion())
                .isEmpty();

        Serving.announce(Serving.store().promoted(child, parent).toBuilder()
                .setState(VersionState.ROLLED_BACK)
                .build());
        page.locator("#served").getByText(parent).waitFor();
        page.locator("#lineage a.rolled_back[href='#" + child + "']").waitFor();
        page.locator("[data-promote='" + child + "']").click();
        awaitCommand(command ->
                command.hasPromote() && command.getPromote().getVersion().equals(child));
        Serving.promote();
    }

    @Test
    void theTimelineTellsHowLongEachPhaseOfARoundTook() {
        String version = "tidemill-000960";
        phase(version, Phase.READING, "", 0);
        phase(version, Phase.TRAINING, "pretrain", 2_000);
        phase(version, Phase.TRAINING, "pretrain", 40_000);
        phase(version, Phase.TRAINING, "preference", 62_000);
        phase(version, Phase.GATING, "preference", 92_000);
        phase(version, Phase.PUBLISHING, "preference", 99_500);
        phase(version, Phase.PROMOTED_PHASE, "preference", 100_000);
        phase(version, Phase.WAITING, "preference", 200_000);
        page.locator("#timeline svg[aria-label='" + version
                        + ": reading 2.0 s, pretrain 1 min 0 s, preference 30.0 s, gating 7.5 s, publishing 0.5 s']")
                .waitFor();
        assertThat(page.locator("#timeline li").first().innerText())
                .contains(version)
                .contains("1 min 40 s · promoted");
        screenshot("timeline.png");
    }

    @Test
    void theLedgerTellsWhatBecameOfEveryRecordAndWhatIsUnaccountedFor() {
        String parent = Serving.promote();
        String version = Serving.nextVersion();
        Serving.announce(Serving.store().promoted(version, parent).toBuilder()
                .setAccount(SliceAccount.newBuilder()
                        .addTopics(TopicAccount.newBuilder()
                                .setTopic("tidemill.preferences")
                                .setRecords(100)
                                .putOutcomes("preference", 60)
                                .putOutcomes("rating", 10)
                                .putOutcomes("held-out", 9)
                                .putOutcomes("repeated", 18)))
                .build());
        Serving.awaitServed(version);
        Kafka.append(
                Kafka.topics().rounds(),
                "tidemill",
                RoundEvent.newBuilder()
                        .setModel("tidemill")
                        .setPhase(Phase.WAITING)
                        .putWaitingByTopic("tidemill.preferences", 7)
                        .build());
        page.locator("#ledger-topics tbody tr td:nth-child(5)").getByText("7").waitFor();
        assertThat(page.locator("#ledger-topics tbody td").allInnerTexts())
                .containsExactly("tidemill.preferences", "107", "70", "9", "7", "0", "18", "3");
        Serving.promote();
    }

    private static void phase(String version, Phase phase, String stage, long atMillis) {
        Kafka.append(
                Kafka.topics().rounds(),
                "tidemill",
                RoundEvent.newBuilder()
                        .setModel("tidemill")
                        .setVersion(version)
                        .setPhase(phase)
                        .setStage(stage)
                        .setEventTime(Timestamps.fromMillis(1_800_000_000_000L + atMillis))
                        .build());
    }

    private static void awaitCommand(Predicate<Command> wanted) {
        await().atMost(Serving.PATIENCE).until(() -> !commands(wanted).isEmpty());
    }

    private static List<Command> commands(Predicate<Command> wanted) {
        return Kafka.all(Kafka.topics().commands(), Readers.commands(), wanted);
    }
}
