package io.tidemill.standalone.control;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.standalone.CannotStartException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** The few calls of a running mill that commands take. A mill that does not answer is a {@link CannotStartException}. */
public final class MillApi {
    private static final Duration CONNECTING = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final Set<String> BUSY = Set.of("reading", "training", "gating", "publishing");

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(CONNECTING).build();
    private final String base;
    private final Optional<String> apiKey;

    MillApi(URI url, Optional<String> apiKey) {
        this.base = url.toString().replaceAll("/+$", "");
        this.apiKey = apiKey;
    }

    /**
     * Where the trainer stands.
     *
     * @param notice what it said last of a command
     */
    public record Round(String phase, String version, String stage, long step, long steps, Notice notice) {
        public boolean busy() {
            return BUSY.contains(phase);
        }
    }

    /** What became of a command; all empty where nothing was said of any. */
    public record Notice(String commandId, boolean done, String text) {
        @Override
        public String toString() {
            return (done ? "done: " : "not done: ") + text;
        }
    }

    /**
     * Erases, or lifts an erasure; returns when the broker has it.
     *
     * @return id of the erasure
     */
    public String erase(String field, String value, String reason, boolean lifted) throws InterruptedException {
        ObjectNode body = json.createObjectNode().put(field, value);
        if (!reason.isEmpty()) {
            body.put("reason", reason);
        }
        if (lifted) {
            body.put("lifted", true);
        }
        return post("/v1/erasures", body).path("ids").path(0).asText();
    }

    /**
     * Asks the trainer for something; returns when the broker has it.
     *
     * @return id of the command
     */
    public String command(ObjectNode command) throws InterruptedException {
        return post("/v1/commands", command).path("command_id").asText();
    }

    public Round round() throws InterruptedException {
        return round(loop());
    }

    Round round(JsonNode loop) {
        JsonNode round = loop.path("round");
        JsonNode notice = round.path("notice");
        return new Round(
                round.path("phase").asText(),
                round.path("version").asText(),
                round.path("stage").asText(),
                round.path("step").asLong(),
                round.path("steps").asLong(),
                new Notice(
                        notice.path("command_id").asText(),
                        notice.path("done").asBoolean(),
                        notice.path("text").asText()));
    }

    /** Where the whole loop stands. */
    JsonNode loop() throws InterruptedException {
        return ask(request("/v1/loop").GET().build(), 200);
    }

    private JsonNode post(String path, ObjectNode body) throws InterruptedException {
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
        apiKey.filter(key -> !key.isBlank()).ifPresent(key -> request.header("Authorization", "Bearer " + key));
        return request;
    }

    private JsonNode ask(HttpRequest request, int expected) throws InterruptedException {
        HttpResponse<String> response;
        try {
            response = http.send(request, BodyHandlers.ofString(UTF_8));
        } catch (IOException e) {
            throw new CannotStartException(
                    request.uri() + " does not answer (" + e + "). Is a mill running there? --url names another place.",
                    e);
        }
        if (response.statusCode() != expected) {
            throw new CannotStartException(
                    request.uri() + " answered " + response.statusCode() + ": " + response.body());
        }
        try {
            return json.readTree(response.body());
        } catch (JsonProcessingException e) {
            throw new CannotStartException(
                    request.uri() + " answered with something that is no JSON. --url names another place.", e);
        }
    }
}
