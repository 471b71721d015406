package io.tidemill.standalone.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.standalone.CannotStartException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Option;

/** Asks a running mill for something; the options of every command that does. */
public final class Operator {
    static final String LATER = "Asked for, but the trainer has not told within 15 s what came of it;"
            + " ./tidemill checkpoints --follow shows the version that is live from then on.";

    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final Duration GLANCE = Duration.ofMillis(50);
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
    public static ObjectNode command(String kind) {
        return JSON.createObjectNode().put("kind", kind);
    }

    public MillApi mill() {
        return new MillApi(url, apiKey);
    }

    /** Returns when the broker has it. */
    void ask(ObjectNode command) throws InterruptedException {
        mill().command(command);
    }

    /**
     * Asks, and waits a while for what comes of it.
     *
     * @param shows what the loop shows of a command that was carried out, by the loop as the mill tells it and the command's id
     * @param later what to say where nothing is told yet
     * @return the sentence for the terminal
     * @throws CannotStartException with the trainer's reason if the command was not carried out
     */
    String outcome(ObjectNode command, BiFunction<JsonNode, String, Optional<String>> shows, String later)
            throws InterruptedException {
        MillApi mill = mill();
        String id = mill.command(command);
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < deadline) {
            JsonNode loop = mill.loop();
            MillApi.Notice notice = mill.round(loop).notice();
            if (notice.commandId().equals(id)) {
                if (!notice.done()) {
                    throw new CannotStartException(notice.text());
                }
                return notice.text();
            }
            Optional<String> shown = shows.apply(loop, id);
            if (shown.isPresent()) {
                return shown.get();
            }
            Thread.sleep(GLANCE.toMillis());
        }
        return later;
    }

    /** Versions whose newest event the command is behind. */
    static Stream<JsonNode> changedBy(JsonNode loop, String command) {
        return StreamSupport.stream(loop.path("versions").spliterator(), false)
                .filter(version -> version.path("reason").asText().contains("(command " + command + ")"));
    }
}
