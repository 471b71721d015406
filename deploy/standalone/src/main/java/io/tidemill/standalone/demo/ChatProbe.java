package io.tidemill.standalone.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

/** Somebody who chats while the mill grinds, and looks at the clock. */
final class ChatProbe implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final Duration EAGER_PAUSE = Duration.ofMillis(100);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final int MAX_TOKENS = 16;

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final URI chat;
    private final String model;
    private final BooleanSupplier training;
    private final Thread thread;
    private final List<Long> trainingMillis = new ArrayList<>();
    private int failures;

    /**
     * @param training whether a round is running; only answers during one are counted
     */
    ChatProbe(String url, String model, BooleanSupplier training) {
        this.chat = URI.create(url + "/v1/chat/completions");
        this.model = model;
        this.training = training;
        this.thread = new Thread(this::run, "demo-chat");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Asks until an answer comes from this version; empty if none does in time. */
    Optional<Instant> firstAnswerOf(String version, Duration patience) throws InterruptedException {
        Instant deadline = Instant.now().plus(patience);
        while (Instant.now().isBefore(deadline)) {
            if (ask(1).filter(version::equals).isPresent()) {
                return Optional.of(Instant.now());
            }
            Thread.sleep(EAGER_PAUSE.toMillis());
        }
        return Optional.empty();
    }

    /** 95th percentile of the time to a whole answer of {@value #MAX_TOKENS} tokens while a round ran; nearest rank. */
    synchronized OptionalLong p95Millis() {
        long[] sorted =
                trainingMillis.stream().mapToLong(Long::longValue).sorted().toArray();
        return sorted.length == 0
                ? OptionalLong.empty()
                : OptionalLong.of(sorted[(int) Math.ceil(0.95 * sorted.length) - 1]);
    }

    synchronized int answers() {
        return trainingMillis.size();
    }

    synchronized int failures() {
        return failures;
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(PAUSE.toMillis());
                boolean before = training.getAsBoolean();
                long start = System.nanoTime();
                Optional<String> version = ask(MAX_TOKENS);
                long millis = Duration.ofNanos(System.nanoTime() - start).toMillis();
                if (before && training.getAsBoolean()) {
                    note(version.isPresent(), millis);
                }
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void note(boolean answered, long millis) {
        if (answered) {
            trainingMillis.add(millis);
        } else {
            failures++;
        }
    }

    /** The version that answered; empty if nobody did. */
    private Optional<String> ask(int maxTokens) throws InterruptedException {
        try {
            String question = json.writeValueAsString(Map.of(
                    "model",
                    model,
                    "messages",
                    List.of(Map.of("role", "user", "content", "What is a tide?")),
                    "max_tokens",
                    maxTokens,
                    "store",
                    false));
            HttpRequest request = HttpRequest.newBuilder(chat)
                    .header("content-type", "application/json")
                    .timeout(ANSWER)
                    .POST(BodyPublishers.ofString(question, UTF_8))
                    .build();
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString(UTF_8));
            return response.statusCode() == 200 ? versionOf(json.readTree(response.body())) : Optional.empty();
        } catch (IOException notNow) {
            return Optional.empty();
        }
    }

    private Optional<String> versionOf(JsonNode answer) {
        return Arrays.asList("system_fingerprint", "model").stream()
                .map(field -> answer.path(field).asText())
                .filter(name -> name.matches(".+-[0-9]{6,}"))
                .findFirst();
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
