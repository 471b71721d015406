package io.tidemill.feedback;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tidemill.feedback.answer.Task;
import io.tidemill.feedback.testing.FakeClassifier;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The page of a version that is an encoder. */
@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class ConsoleEncoderTest extends ConsoleInChromium {
    @AfterEach
    void serveAnswersAgain() {
        FakeClassifier.PACE = null;
        Serving.promote();
    }

    @Test
    void aClassifierIsAskedForTheLabelsOfATextAndHowLikelyTheyAre() {
        String version = Serving.promote(Task.CLASSIFY);
        page.getByLabel("Text to classify").fill("x".repeat(768));
        page.locator("#classify-send").click();
        Locator reading = page.locator("#classify-reading");
        reading.getByText("Said by " + version).waitFor();

        assertThat(reading.locator(".quoted").innerText()).isEqualTo("x".repeat(768));
        assertThat(reading.locator(".figure").innerText()).isEqualTo("ham\n50.0 % likely"); // 512 tokens of 1024
        assertThat(reading.locator(".bars li").allInnerTexts()).hasSize(2);
        assertThat(reading.getByText("cut", new Locator.GetByTextOptions().setExact(true))
                        .count())
                .isEqualTo(1);

        page.getByLabel("Text to classify").fill("x".repeat(256));
        page.keyboard().press("Enter");
        reading.getByText("75.0 % likely").waitFor();
        assertThat(bars(reading)).containsExactly("ham 75.0 %", "spam 25.0 %");
        assertThat(reading.locator(".bars progress").first().getAttribute("value"))
                .isEqualTo("0.75");
        assertThat(reading.locator(".bars .right").allInnerTexts()).hasSize(1);
        assertThat(reading.getByText("cut", new Locator.GetByTextOptions().setExact(true))
                        .count())
                .isZero();
        assertThat(reading.getAttribute("aria-live")).isEqualTo("polite");
        assertThat(page.locator("section[data-task=classify] .hint").innerText())
                .contains("POST /v1/demonstrations", "text_target");
    }

    @Test
    void whereSeveralLabelsMayBeRightThoseAboveOneHalfAreMarked() {
        Serving.promote(Task.CLASSIFY);
        page.getByLabel("Text to classify").fill("several");
        page.locator("#classify-send").click();
        Locator reading = page.locator("#classify-reading");
        reading.getByText("label-0, label-1, label-2, label-3").waitFor();

        Locator rows = reading.locator(".bars li");
        assertThat(rows.count()).isEqualTo(12);
        assertThat(rows.nth(3).innerText()).contains("label-3 ✓").contains("56.3 %");
        assertThat(rows.nth(4).innerText()).doesNotContain("✓").contains("50.0 %");
        assertThat(rows.nth(9).isVisible()).isTrue();
        assertThat(rows.nth(10).isVisible()).isFalse();
        reading.getByText("2 more, less likely").click();
        assertThat(rows.nth(11).isVisible()).isTrue();
    }

    @Test
    void aRegressionGivesItsScoreAlone() {
        Serving.promote(Task.CLASSIFY);
        page.getByLabel("Text to classify").fill("score");
        page.locator("#classify-send").click();
        Locator reading = page.locator("#classify-reading");
        reading.getByText("its score").waitFor();

        assertThat(reading.locator(".figure b").innerText()).isEqualTo("5");
        assertThat(reading.locator(".bars").count()).isZero();
    }

    @Test
    void aMaskedLanguageModelGuessesTheMaskThatAButtonPutsIn() {
        String version = Serving.promote(Task.FILL_MASK);
        page.getByLabel("Text with [MASK]").fill("The tide ");
        page.getByText("Insert [MASK]").click();
        page.keyboard().type(" twice a day.");
        page.keyboard().press("Enter");
        Locator reading = page.locator("#fill-mask-reading");
        reading.getByText("Said by " + version).waitFor();

        assertThat(reading.locator(".quoted").innerText()).isEqualTo("The tide word1 twice a day.");
        assertThat(bars(reading))
                .containsExactly("word1 50.0 %", "word2 25.0 %", "word3 12.5 %", "word4 6.3 %", "word5 3.1 %");
        assertThat(page.locator("section[data-task=fill-mask] .hint").innerText())
                .contains("POST /v1/documents");
    }

    @Test
    void whatIsRefusedIsToldInThePanelAndTheTextStays() {
        Serving.promote(Task.FILL_MASK);
        page.getByLabel("Text with [MASK]").fill("No mask.");
        page.locator("#fill-mask-send").click();
        page.locator("#fill-mask-reading [role=status]")
                .getByText("it has no [MASK]")
                .waitFor();

        assertThat(page.getByLabel("Text with [MASK]").inputValue()).isEqualTo("No mask.");
        assertThat(page.locator("#fill-mask-send").innerText()).isEqualTo("Fill");
        assertThat(complaints).singleElement().asString().contains("status of 400");
        complaints.clear(); // the browser's own word on the status
    }

    @Test
    void aReaderStopsTheReadingOfAText() {
        Serving.promote(Task.CLASSIFY);
        Semaphore pace = new Semaphore(0);
        FakeClassifier.PACE = pace;
        page.getByLabel("Text to classify").fill("a text");
        page.locator("#classify-send").click();
        page.locator("#classify-send").getByText("Stop").click();
        page.locator("#classify-reading").getByText("Stopped.").waitFor();
        pace.release();

        assertThat(page.locator("#classify-send").innerText()).isEqualTo("Classify");
    }

    @Test
    void thePanelFollowsTheVersionThatServesAndTheChatKeepsItsState() {
        Serving.promote();
        page.getByLabel("Two answers").uncheck();
        page.getByLabel("Your message").fill("Hello");
        page.keyboard().press("Enter");
        page.getByLabel("Thumb up for this answer").waitFor();
        page.getByLabel("Your message").fill("A draft");
        page.getByLabel("Your message").focus();
        page.evaluate("window.stillTheSamePage = true");

        Serving.promote(Task.CLASSIFY);
        page.getByLabel("Text to classify").waitFor();
        assertThat(shownPanels()).containsExactly("Classify");
        assertThat(page.evaluate("document.activeElement.id")).isEqualTo("classify-text");
        assertThat(page.locator(".skip").textContent()).isEqualTo("Skip to the classifier");
        assertThat(page.locator(".skip").getAttribute("href")).isEqualTo("#classify-heading");

        Serving.promote(Task.FILL_MASK);
        page.getByLabel("Text with [MASK]").waitFor();
        assertThat(shownPanels()).containsExactly("Fill the mask");

        Serving.promote();
        page.getByLabel("Your message").waitFor();
        assertThat(shownPanels()).containsExactly("Ask, and choose");
        assertThat(page.getByLabel("Your message").inputValue()).isEqualTo("A draft");
        assertThat(page.locator("#talk .said.user").innerText()).isEqualTo("Hello");
        assertThat(page.locator("#talk .answer").count()).isEqualTo(1);
        assertThat(page.locator(".skip").textContent()).isEqualTo("Skip to the chat");
        assertThat(page.evaluate("window.stillTheSamePage")).isEqualTo(true);
    }

    @Test
    void theChartsAreCalledByTheSuitesThatTheyPlot() {
        Serving.promote(Task.CLASSIFY);
        page.getByText("share of texts").waitFor();
        assertThat(page.locator("#accuracy figcaption").innerText())
                .isEqualTo("Label accuracy share of texts\nhigher is better; bars are 95 % intervals");
        assertThat(page.locator("#chart-accuracy svg").getAttribute("aria-label"))
                .startsWith("Label accuracy by version")
                .endsWith(" 75 %")
                .doesNotContain("66 %"); // what an earlier version reached of preferences
        assertThat(page.locator("#chart-accuracy .chance").count()).isZero();
        assertThat(page.locator("#loss-unit").innerText()).isEqualTo("nats per text");

        Serving.promote(Task.FILL_MASK);
        page.getByText("nats per masked token").waitFor();
        assertThat(page.locator("#accuracy").isVisible()).isFalse();

        Serving.promote();
        page.getByText("share of pairs").waitFor();
        assertThat(page.locator("#accuracy figcaption").innerText())
                .startsWith("Preference accuracy")
                .endsWith("the dashed line is chance");
        assertThat(page.locator("#chart-accuracy .chance").count()).isEqualTo(1);
    }

    @Test
    void withoutAVerdictThereIsAChartOfPreferencesForAVersionThatAnswersAlone() {
        String change = "loop.versions = []; loop.served.task = argument";
        String hidden = "document.getElementById('accuracy').hidden";
        assertThat(drawn(change, "answer", hidden)).isEqualTo(false);
        assertThat(drawn(change, "classify", hidden)).isEqualTo(true);
        assertThat(drawn(change, "fill-mask", hidden)).isEqualTo(true);
    }

    @Test
    void theCountsSayNothingOfAnswersKeptWhereNoneAre() {
        assertThat(counts("classify", 0)).endsWith(": 2 requests answered.");
        assertThat(counts("classify", 1)).endsWith(": 2 requests answered, 1 answer kept.");
        assertThat(counts("answer", 0)).endsWith(": 2 requests answered, 0 answers kept, 0 pieces of feedback.");
    }

    private String counts(String task, int kept) {
        String change = "loop.served.task = argument[0];"
                + "Object.assign(loop.activity, {answered: 2, completions: argument[1], feedback: {}})";
        return (String) drawn(change, List.of(task, kept), "document.getElementById('counts').textContent");
    }

    /** What the page shows of the service's state once that has been changed. */
    private Object drawn(String change, Object argument, String shown) {
        return page.evaluate(
                "async (argument) => {"
                        + "const {draw} = await import('/console/loop.js');"
                        + "const loop = await (await fetch('/v1/loop')).json();"
                        + change + "; draw(loop); return " + shown + "; }",
                argument);
    }

    @Test
    void thePanelsFitAPhoneAndTheNight() {
        Serving.promote(Task.CLASSIFY);
        page.getByLabel("Text to classify").fill("several " + "texts".repeat(100));
        page.locator("#classify-send").click();
        page.getByText("2 more, less likely").waitFor();
        fitsAPhone("classify");

        Serving.promote(Task.FILL_MASK);
        page.getByLabel("Text with [MASK]").fill("The tide [MASK] twice a day." + "texts".repeat(100));
        page.locator("#fill-mask-send").click();
        page.locator("#fill-mask-reading .quoted").waitFor();
        fitsAPhone("fill-mask");
    }

    private void fitsAPhone(String name) {
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.LIGHT));
        screenshot(name + "-light.png");
        page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
        page.setViewportSize(390, 844);
        Object overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
        assertThat(((Number) overflow).intValue()).isLessThanOrEqualTo(0);
        screenshot(name + "-phone-dark.png");
        page.setViewportSize(1280, 900);
    }

    /** A bar's name and number. */
    private static List<String> bars(Locator reading) {
        return reading.locator(".bars li").allInnerTexts().stream()
                .map(text -> text.trim().replaceAll("\\s+", " "))
                .toList();
    }

    /** Headings of the panels in which something can be asked. */
    private List<String> shownPanels() {
        return page.locator("section[data-task]:visible h2").allInnerTexts();
    }
}
