package io.tidemill.standalone.erase;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;

/** The few calls of a mill that erasing takes. */
final class MillApi {
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final Set<String> BUSY = Set.of("reading", "training", "gating", "publishing");

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http;
    private final String base;
    private final String apiKey;

    /** @param apiKey empty where the mill asks for none */
    MillApi(HttpClient http, URI url, String apiKey) {
        this.http = http;
        this.base = url.toString().replaceAll("/+$", "");
        this.apiKey = apiKey;
    }

    /** Where the trainer stands. */
    record Round(String phase, String version, String stage, long step, long steps, String message) {
        boolean busy() {
            return BUSY.contains(phase);
        }
    }

    /**
     * Erases, or lifts an erasure; returns when the broker has it.
     *
     * @return id of the erasure
     */
    String erase(String field, String value, String reason, boolean lifted) throws IOException, InterruptedException {
        ObjectNode body = json.createObjectNode().put(field, value);
        if (!reason.isEmpty()) {
            body.put("reason", reason);
        }
        if (lifted) {
            body.put("lifted", true);
        }
        return post("/v1/erasures", body).path("ids").path(0).asText();
    }

    /** Asks the trainer to train again; returns the command's id. */
    String retrain(boolean force) throws IOException, InterruptedException {
        return post(
                        "/v1/commands",
                        json.createObjectNode().put("kind", "retrain").put("force", force))
                .path("command_id")
                .asText();
    }

    Round round() throws IOException, InterruptedException {
        JsonNode round = ask(request("/v1/loop").GET().build(), 200).path("round");
        return new Round(
                round.path("phase").asText(),
                round.path("version").asText(),
                round.path("stage").asText(),
                round.path("step").asLong(),
                round.path("steps").asLong(),
                round.path("message").asText());
    }

    private JsonNode post(String path, ObjectNode body) throws IOException, InterruptedException {
        return ask(
                request(path)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body.toString(), UTF_8))
                        .build(),
                202);
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).timeout(ANSWER);
        return apiKey.isEmpty() ? request : request.header("Authorization", "Bearer " + apiKey);
    }

    private JsonNode ask(HttpRequest request, int expected) throws IOException, InterruptedException {
        HttpResponse<String> response;
        try {
            response = http.send(request, BodyHandlers.ofString(UTF_8));
        } catch (IOException e) {
            throw new IOException(request.uri() + " does not answer (" + e + ").", e);
        }
        if (response.statusCode() != expected) {
            throw new IOException(request.uri() + " answered " + response.statusCode() + ": " + response.body() + ".");
        }
        return json.readTree(response.body());
    }
}
