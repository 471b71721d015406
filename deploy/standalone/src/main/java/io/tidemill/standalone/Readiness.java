package io.tidemill.standalone;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.runtime.Quarkus;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Asks the health check from outside, as any client would, until every service says that it is ready. */
final class Readiness implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Duration GOODBYE = Duration.ofSeconds(10);
    private static final Duration LONG = Duration.ofSeconds(60);

    private final MillSettings settings;
    private final String bootstrapServers;
    private final PrintStream errors;
    private final Runnable onServing;
    private final Consumer<RunningMill> onReady;
    private final Thread thread;
    private Optional<String> hopeless = Optional.empty();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    /**
     * @param onServing called once the port answers, whatever it says
     * @param onReady   called once every check is up
     */
    Readiness(
            MillSettings settings,
            String bootstrapServers,
            PrintStream errors,
            Runnable onServing,
            Consumer<RunningMill> onReady) {
        this.settings = settings;
        this.bootstrapServers = bootstrapServers;
        this.errors = errors;
        this.onServing = onServing;
        this.onReady = onReady;
        this.thread = new Thread(this::run, "tidemill-ready");
        thread.setDaemon(true);
    }

    void watch() {
        thread.start();
    }

    /** Ends what {@code onReady} began, before the broker goes. */
    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join(GOODBYE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            if (!awaitReady()) {
                Quarkus.asyncExit(1);
                return;
            }
        } catch (InterruptedException stopping) {
            return;
        }
        onReady.accept(new RunningMill(settings, bootstrapServers, sinceStart()));
    }

    /** False where a service says that it will never be ready. */
    private boolean awaitReady() throws InterruptedException {
        Duration saidAt = sinceStart();
        while (true) {
            List<String> waitingFor = down();
            if (waitingFor.isEmpty()) {
                return true;
            }
            if (hopeless.isPresent()) {
                errors.println("tidemill: " + hopeless.get());
                return false;
            }
            if (sinceStart().minus(saidAt).compareTo(LONG) > 0) {
                saidAt = sinceStart();
                errors.println(
                        "tidemill: not ready after " + saidAt.toSeconds() + " s: " + String.join(", ", waitingFor)
                                + "; the log tells more: " + settings.data().resolve("tidemill.log"));
            }
            Thread.sleep(PAUSE.toMillis());
        }
    }

    /** The checks that are not up, with the reasons they give; empty when all are. */
    private List<String> down() throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(settings.url() + "/q/health/ready"))
                .timeout(Duration.ofSeconds(5))
                .build();
        try {
            HttpResponse<byte[]> response = http.send(request, BodyHandlers.ofByteArray());
            onServing.run();
            if (response.statusCode() == 200) {
                return List.of();
            }
            List<String> names = new ArrayList<>();
            for (JsonNode check : new ObjectMapper().readTree(response.body()).path("checks")) {
                if (!check.path("status").asText().equals("UP")) {
                    JsonNode data = check.path("data");
                    String reason =
                            data.path("reason").asText(data.path("failure").asText());
                    names.add(check.path("name").asText() + (reason.isEmpty() ? "" : " (" + reason + ")"));
                    if (data.path("stopped").asBoolean()) {
                        hopeless = Optional.of(reason);
                    }
                }
            }
            return names.isEmpty() ? List.of("health check answers " + response.statusCode()) : names;
        } catch (IOException notYet) {
            return List.of("HTTP port " + settings.port());
        }
    }

    private static Duration sinceStart() {
        return Duration.ofMillis(System.currentTimeMillis()
                - ManagementFactory.getRuntimeMXBean().getStartTime());
    }
}
