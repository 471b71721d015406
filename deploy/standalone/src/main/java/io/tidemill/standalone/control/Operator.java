package io.tidemill.standalone.control;

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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Posts commands to a running mill; the options of every command that does. */
final class Operator {
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:8080",
            description = "Where the mill, or its gateway, listens (default: ${DEFAULT-VALUE}).")
    URI url;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            defaultValue = "${env:TIDEMILL_API_KEY}",
            description = "Where it asks for keys (default: the variable TIDEMILL_API_KEY).")
    Optional<String> apiKey = Optional.empty();

    /** A command without anything but its kind. */
    static ObjectNode command(String kind) {
        return JSON.createObjectNode().put("kind", kind);
    }

    /** Returns when the broker has it. */
    void ask(ObjectNode command) throws InterruptedException {
        URI address = URI.create(url.toString().replaceAll("/+$", "") + "/v1/commands");
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .timeout(ANSWER)
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(command.toString(), StandardCharsets.UTF_8));
        apiKey.filter(key -> !key.isBlank()).ifPresent(key -> request.header("authorization", "Bearer " + key));
        HttpResponse<String> response;
        try {
            response = HttpClient.newBuilder()
                    .connectTimeout(Duration.ofSeconds(5))
                    .build()
                    .send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new CannotStartException(
                    address + " does not answer (" + e + "). Is a mill running there? --url names another place.", e);
        }
        if (response.statusCode() != 202) {
            throw new CannotStartException(
                    address + " answered " + response.statusCode() + ": " + response.body(), null);
        }
    }
}
