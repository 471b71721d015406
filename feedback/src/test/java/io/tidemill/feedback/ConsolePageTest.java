package io.tidemill.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.WaitForSelectorState;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tidemill.feedback.testing.FakeEngine;
import io.tidemill.feedback.testing.Kafka;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import io.tidemill.proto.Readers;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Notice;
import io.tidemill.proto.v1.RoundEvent;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

/** The page of a version that answers, and of any. */
@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class ConsolePageTest extends ConsoleInChromium {
    @Test
    void thePageFollowsTheLoop() {
        String version = Serving.promote();
        page.locator("#served").getByText(version).waitFor();
        assertThat(page.locator("#versions").innerText()).contains(version).contains("Download");
        assertThat(page.locator("#chart-loss svg").getAttribute("aria-label")).contains("Held-out loss by version");
        round(RoundEvent.Phase.TRAINING, 30);
        page.locator("#phase-detail").getByText("step 30 of 120").waitFor();
        assertThat(page.locator("#waiting-total").innerText()).isEqualTo("1,540");
        assertThat(page.locator("#progress").getAttribute("value")).isEqualTo("0.25");
        assertThat(page.locator("#start-round").isDisabled()).isTrue();
        round(RoundEvent.Phase.PAUSED, 30);
        page.locator("#pause").getByText("Resume").waitFor();
    }

    @Test
    void aSuiteWithoutExamplesIsNeitherPassedNorDrawn() {
        CheckpointEvent.Builder event = Serving.store().promoted(Serving.nextVersion(), "").toBuilder();
        event.getVerdictBuilder()
                .getSuitesBuilder(1)
                .clearBefore()
                .clearAfter()
                .clearAfterLow()
                .clearAfterHigh()
                .clearExamples()
                .setRule("not judged: 0 examples, at least 200 are needed");
        Serving.announce(event.build());
        Serving.awaitServed(event.getVersion());
        round(RoundEvent.Phase.WAITING, 0);
        page.locator("#gate-detail").getByText(event.getVersion()).waitFor();
        Locator suites = page.locator("#gate-suites li");
        assertThat(suites.nth(0).innerText()).contains("✓").contains("3.2 → 3.1");
        assertThat(suites.nth(1).innerText()).contains("–").contains("no examples yet");
        assertThat(suites.nth(1).innerText()).doesNotContain("✓").doesNotContain("0.0 %");
        String label = String.valueOf(
                Integer.parseInt(event.getVersion().substring(event.getVersion().lastIndexOf('-') + 1)));
        assertThat(page.locator("#chart-loss svg").getAttribute("aria-label")).contains(label + " 3.1");
        assertThat(page.locator("#chart-accuracy").innerHTML()).doesNotContain(">" + label + "<");
    }

    @Test
    void aReaderChoosesBetweenTwoAnswersAndTheSideIsRecorded() {
        page.getByLabel("Your message").fill("Which one?");
        page.getByText("Ask", new Page.GetByTextOptions().setExact(true)).click();
        page.getByText("B is better").waitFor();
        Locator answers = page.locator(".answer");
        assertThat(answers.count()).isEqualTo(2);
        String before = newestFeedback();
        page.getByText("B is better").click();
        page.getByText("Kept. The next round learns from it.").waitFor();
        Feedback feedback = awaitFeedback(before);
        Comparison comparison = feedback.getComparison();
        // B stands on the right: the better one is the one that did not stand on the left.
        assertThat(comparison.getVerdict())
                .isEqualTo(
                        comparison.getLeft() == Comparison.Side.A
                                ? Comparison.Verdict.B_BETTER
                                : Comparison.Verdict.A_BETTER);
        assertThat(comparison.getDisplayedOrderList())
                .containsExactlyInAnyOrder(comparison.getCompletionA(), comparison.getCompletionB());
        assertThat(feedback.getSource()).isEqualTo("page");
    }

    @Test
    void aReaderGivesAThumbAndACorrection() {
        page.getByLabel("Two answers").uncheck();
        page.getByLabel("Your message").fill("Say five");
        page.keyboard().press("Enter");
        String before = newestFeedback();
        page.getByLabel("Thumb down for this answer").click();
        assertThat(awaitFeedback(before).getThumb().getUp()).isFalse();
        String thumb = newestFeedback();
        page.getByLabel("Correct this answer").click();
        page.getByLabel("What the answer should have been").fill("Five.");
        page.getByText("Send correction").click();
        page.getByText("Correction kept.").waitFor();
        assertThat(awaitFeedback(thumb).getCorrection().getCorrected()).isEqualTo("Five.");
        assertThat(page.locator(".answer .text").innerText()).isEqualTo("Five.");
    }

    @Test
    void aReaderStopsAnAnswer() {
        FakeEngine.PACE = new Semaphore(0);
        try {
            page.getByLabel("Your message").fill("Go on for ever");
            page.keyboard().press("Enter");
            page.getByText("Stop", new Page.GetByTextOptions().setExact(true)).click();
            page.getByText("Stopped.").waitFor();
        } finally {
            FakeEngine.PACE.release(100);
            FakeEngine.PACE = null;
        }
    }

    @Test
    void theButtonsSendCommands() {
        round(RoundEvent.Phase.WAITING, 0);
        page.locator("#start-round:enabled").waitFor();
        long before = commands();
        page.locator("#start-round").click();
        await().atMost(Serving.PATIENCE).until(() -> commands() > before);
    }

    @Test
    void whyACommandWasNotCarriedOutIsToldWhileARoundTrains() {
        RoundEvent training = event(RoundEvent.Phase.TRAINING, 40);
        append(training.toBuilder()
                .setNotice(Notice.newBuilder()
                        .setText("cannot roll back from tidemill-000904")
                        .setEventTime(training.getEventTime()))
                .build());
        page.getByText("not done: cannot roll back from tidemill-000904").waitFor();
        assertThat(page.locator("#phase-detail").innerText()).contains("step 40 of 120");
        append(training);
        page.getByText("cannot roll back")
                .waitFor(new Locator.WaitForOptions().setState(WaitForSelectorState.DETACHED));
    }

    @Test
    void thePageFitsAPhoneAndTheNight() {
        Serving.promote();
        Serving.promote();
        round(RoundEvent.Phase.TRAINING, 80);
        page.locator("#phase-detail").getByText("step 80 of 120").waitFor();
        page.getByLabel("Your message").fill("What is a tide mill?");
        page.keyboard().press("Enter");
        page.getByText("Both bad").waitFor();
        screenshot("light.png");
        page.setViewportSize(390, 844);
        Object overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
        assertThat(((Number) overflow).intValue()).isLessThanOrEqualTo(0);
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
        screenshot("phone-dark.png");
        page.setViewportSize(1280, 900);
        screenshot("dark.png");
    }

    private static void round(RoundEvent.Phase phase, long step) {
        append(event(phase, step));
    }

    private static RoundEvent event(RoundEvent.Phase phase, long step) {
        return RoundEvent.newBuilder()
                .setModel("tidemill")
                .setRound(5)
                .setVersion("tidemill-000905")
                .setPhase(phase)
                .setStage("preference")
                .setStep(step)
                .setSteps(120)
                .setLoss(0.61)
                .setTokensPerSecond(2150)
                .putWaiting("pretrain", 340)
                .putWaiting("preference", 1200)
                .putExamples("pretrain", 812)
                .putExamples("preference", 1034)
                .build();
    }

    private static void append(RoundEvent event) {
        Kafka.append(Kafka.topics().rounds(), "tidemill", event);
    }

    private static String newestFeedback() {
        return feedback().isEmpty() ? "" : feedback().get(feedback().size() - 1).getFeedbackId();
    }

    /** The feedback that came after the one named; ids are made in the order of time. */
    private static Feedback awaitFeedback(String before) {
        await().atMost(Serving.PATIENCE).until(() -> !newestFeedback().equals(before));
        List<Feedback> all = feedback();
        return all.get(all.size() - 1);
    }

    private static List<Feedback> feedback() {
        return Kafka.all(Kafka.topics().feedback(), Readers.feedback(), f -> f.getSource()
                        .equals("page"))
                .stream()
                .sorted(java.util.Comparator.comparing(Feedback::getFeedbackId))
                .toList();
    }

    private static long commands() {
        return Kafka.all(Kafka.topics().commands(), Readers.commands(), Command::hasStartRound)
                .size();
    }
}
