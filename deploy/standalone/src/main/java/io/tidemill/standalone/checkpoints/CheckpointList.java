package io.tidemill.standalone.checkpoints;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.util.JsonFormat;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What {@code GET /v1/checkpoints} says. */
final class CheckpointList {
    private static final Duration ANSWER = Duration.ofSeconds(10);

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http;
    private final URI address;

    CheckpointList(HttpClient http, URI url) {
        this.http = http;
        this.address = URI.create(url.toString().replaceAll("/+$", "") + "/v1/checkpoints");
    }

    /** The newest event of each version, oldest version first. */
    List<CheckpointEvent> fetch() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(address).timeout(ANSWER).build();
        HttpResponse<String> response = ask(request);
        if (response.statusCode() != 200) {
            throw new IOException(address + " answered " + response.statusCode() + ": " + response.body());
        }
        List<CheckpointEvent> events = new ArrayList<>();
        JsonNode root = json.readTree(response.body());
        for (JsonNode event : root.isArray() ? root : root.path("checkpoints")) {
            CheckpointEvent.Builder builder = CheckpointEvent.newBuilder();
            JsonFormat.parser().ignoringUnknownFields().merge(event.toString(), builder);
            events.add(builder.build());
        }
        events.sort(Comparator.comparing(event -> VersionId.parse(event.getVersion())));
        return events;
    }

    private HttpResponse<String> ask(HttpRequest request) throws IOException, InterruptedException {
        try {
            return http.send(request, BodyHandlers.ofString(UTF_8));
        } catch (IOException e) {
            throw new IOException(address + " does not answer (" + e + ")", e);
        }
    }
}
