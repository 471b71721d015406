package io.tidemill.standalone.torture;

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
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * A client of a mill: posts documents, pairs and thumbs for as long as it runs, whatever happens to the mill meanwhile, and
 * keeps in its journal what was acknowledged. What was not is not sent again, so that each id was sent once.
 */
final class SystemFeed implements AutoCloseable {
    private static final int DOCUMENTS = 8;
    private static final int PAIRS = 12;
    private static final long PAUSE_MILLIS = 700;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int ACCEPTED = 202;
    private static final int OK = 200;

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final String model;
    private final Journal accepted;
    private final Journal sent;
    private final Thread thread = new Thread(this::run, "feed");
    private volatile String url = "";
    private volatile boolean paused;
    private volatile boolean closed;
    private volatile boolean busy;

    SystemFeed(Path directory, String model) throws IOException {
        this.model = model;
        this.accepted = new Journal(directory.resolve("accepted.ids"));
        this.sent = new Journal(directory.resolve("sent.ids"));
        thread.setDaemon(true);
        thread.start();
    }

    /** Where the mill is now. */
    void mill(String newUrl) {
        url = newUrl;
    }

    /** Sends nothing more; returns when nothing is on its way. */
    void pause() throws InterruptedException {
        paused = true;
        while (busy) {
            Thread.sleep(20);
        }
    }

    Set<String> accepted() {
        return accepted.ids();
    }

    Set<String> sent() {
        return sent.ids();
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofSeconds(5))
                .build();
        return json.readTree(http.send(request, BodyHandlers.ofString(UTF_8)).body());
    }

    private void run() {
        while (!closed) {
            try {
                Thread.sleep(PAUSE_MILLIS);
                busy = true;
                if (!paused && !url.isEmpty()) {
                    round();
                }
            } catch (InterruptedException e) {
                return;
            } catch (IOException away) {
                // not accepted
            } finally {
                busy = false;
            }
        }
    }

    private void round() throws IOException, InterruptedException {
        String run = UUID.randomUUID().toString().substring(0, 13);
        List<Map<String, Object>> documents = new ArrayList<>();
        for (int i = 0; i < DOCUMENTS; i++) {
            String id = "doc-" + run + "-" + i;
            documents.add(Map.of("document_id", id, "text", Words.of(id.hashCode(), 60), "source", "torture"));
        }
        post("/v1/documents", documents, "document_id");
        List<Map<String, Object>> pairs = new ArrayList<>();
        for (int i = 0; i < PAIRS; i++) {
            String id = "pair-" + run + "-" + i;
            pairs.add(Map.of(
                    "id",
                    id,
                    "group_id",
                    id,
                    "prompt",
                    "Say it well.",
                    "chosen",
                    Words.of(id.hashCode(), 8),
                    "rejected",
                    Words.of(id.hashCode() + 1L, 8)));
        }
        post("/v1/preferences", pairs, "id");
        thumb(run);
    }

    private void post(String path, List<Map<String, Object>> records, String key)
            throws IOException, InterruptedException {
        List<String> ids =
                records.stream().map(record -> (String) record.get(key)).toList();
        sent.add(ids);
        String lines = records.stream().map(this::write).collect(Collectors.joining("\n", "", "\n"));
        if (send(path, "application/x-ndjson", lines).statusCode() == ACCEPTED) {
            accepted.add(ids);
        }
    }

    /** A question is answered, and the answer rated. */
    private void thumb(String run) throws IOException, InterruptedException {
        HttpResponse<String> answer = send(
                "/v1/chat/completions",
                "application/json",
                write(new TreeMap<>(Map.of(
                        "model",
                        model,
                        "messages",
                        List.of(Map.of("role", "user", "content", "What is a tide, " + run + "?")),
                        "user",
                        run,
                        "max_tokens",
                        8))));
        if (answer.statusCode() != OK) {
            return;
        }
        JsonNode completion = json.readTree(answer.body());
        String id = completion.at("/tidemill/completion_ids/0").asText();
        if (id.isEmpty()) {
            return; // without Kafka it cannot be rated
        }
        sent.add(List.of(id));
        HttpResponse<String> rated = send(
                "/v1/feedback/thumbs",
                "application/json",
                write(Map.of("completion_id", id, "up", run.hashCode() % 2 == 0)));
        if (rated.statusCode() == ACCEPTED) {
            accepted.add(List.of(json.readTree(rated.body()).path("feedback_id").asText()));
        }
    }

    private HttpResponse<String> send(String path, String type, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .header("content-type", type)
                .timeout(PATIENCE)
                .POST(BodyPublishers.ofString(body, UTF_8))
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

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.interrupt();
        thread.join(10_000);
    }
}
