package io.tidemill.standalone.process;

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
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What a client sees of a mill. */
final class MillClient {
    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String url;

    MillClient(String url) {
        this.url = url;
    }

    /** Sends records as NDJSON; the status says whether all of them were kept. */
    int post(String path, List<Map<String, Object>> records) throws IOException, InterruptedException {
        String lines = records.stream().map(this::write).collect(Collectors.joining("\n", "", "\n"));
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .header("content-type", "application/x-ndjson")
                .timeout(Duration.ofSeconds(30))
                .POST(BodyPublishers.ofString(lines, UTF_8))
                .build();
        return http.send(request, BodyHandlers.ofString(UTF_8)).statusCode();
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return json.readTree(text(path));
    }

    String text(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofSeconds(30))
                .build();
        return http.send(request, BodyHandlers.ofString(UTF_8)).body();
    }

    /** The version that answers a chat, or what came instead. */
    String chatVersion(String model) throws IOException, InterruptedException {
        HttpResponse<String> response = send(
                "/v1/chat/completions",
                Map.of(
                        "model",
                        model,
                        "messages",
                        List.of(Map.of("role", "user", "content", "What is a tide?")),
                        "max_tokens",
                        3));
        return response.statusCode() == 200
                ? json.readTree(response.body()).path("system_fingerprint").asText()
                : response.statusCode() + " " + response.body();
    }

    /**
     * Two answers to one question.
     *
     * @param talk the conversation it belongs to
     */
    JsonNode twoAnswers(String question, String talk, int seed) throws IOException, InterruptedException {
        HttpResponse<String> response = send(
                "/v1/chat/completions",
                Map.of(
                        "messages",
                        List.of(Map.of("role", "user", "content", question)),
                        "n",
                        2,
                        "user",
                        talk,
                        "seed",
                        seed,
                        "max_tokens",
                        40));
        return json.readTree(response.body());
    }

    /** Says that the first of two answers is the better one; the status says whether that was kept. */
    int prefer(String completion, String other) throws IOException, InterruptedException {
        Map<String, Object> comparison = Map.of("completion_a", completion, "completion_b", other, "verdict", "a");
        return send("/v1/feedback/comparisons", comparison).statusCode();
    }

    private HttpResponse<String> send(String path, Map<String, Object> object)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .header("content-type", "application/json")
                .timeout(Duration.ofSeconds(60))
                .POST(BodyPublishers.ofString(write(object), UTF_8))
                .build();
        return http.send(request, BodyHandlers.ofString(UTF_8));
    }

    private String write(Object value) {
        try {
            return json.writeValueAsString(value);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
