package io.tidemill.feedback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import io.quarkus.test.common.http.TestHTTPResource;
import io.tidemill.feedback.testing.Serving;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The page in a real browser. Skipped where there is no Chromium; nothing is installed or downloaded for it. */
abstract class ConsoleInChromium {
    private static final Path CHROMIUM = Path.of("/usr/bin/chromium");

    @TestHTTPResource("/")
    URI root;

    private Playwright playwright;
    Page page;
    final List<String> complaints = new ArrayList<>();
    private final List<String> foreignRequests = new ArrayList<>();

    @BeforeEach
    void open() {
        assumeThat(Files.isExecutable(CHROMIUM))
                .as("the page test needs Chromium at %s; install it to run the test", CHROMIUM)
                .isTrue();
        Serving.some();
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        Browser browser = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(CHROMIUM)
                        .setArgs(List.of("--no-sandbox", "--disable-gpu", "--disable-background-networking")));
        page = browser.newPage(new Browser.NewPageOptions().setViewportSize(1280, 900));
        page.onConsoleMessage(message -> {
            if (message.type().equals("error")) {
                complaints.add(message.text());
            }
        });
        page.onPageError(complaints::add);
        page.onRequest(request -> {
            if (!request.url().startsWith(root.toString())) {
                foreignRequests.add(request.url());
            }
        });
        page.navigate(root.toString());
        page.getByText("Live").waitFor();
    }

    @AfterEach
    void close() {
        if (playwright != null) {
            playwright.close();
            assertThat(complaints).as("errors in the browser's console").isEmpty();
            assertThat(foreignRequests).as("requests to elsewhere").isEmpty();
        }
    }

    /** For the eyes of whoever changes the page. */
    final void screenshot(String name) {
        page.screenshot(new Page.ScreenshotOptions()
                .setPath(Path.of("target", "page", name))
                .setFullPage(true));
    }
}
