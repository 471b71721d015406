package io.tidemill.feedback.testing;

import com.google.protobuf.Timestamp;
import com.sun.net.httpserver.HttpServer;
import io.tidemill.feedback.answer.Task;
import io.tidemill.proto.Ids;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A checkpoint store over HTTP that holds versions for a {@link FakeEngineLoader}. */
public final class FakeStore implements AutoCloseable {
    private static final String LOGITS = "0.25 -1.5 3.0";

    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final HttpServer server;

    public FakeStore() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", exchange -> {
            byte[] body = files.get(exchange.getRequestURI().getPath());
            exchange.sendResponseHeaders(body == null ? 404 : 200, body == null ? -1 : body.length);
            if (body != null) {
                try (OutputStream out = exchange.getResponseBody()) {
                    out.write(body);
                }
            }
            exchange.close();
        });
        server.start();
    }

    /** A promoted version whose files the store serves. */
    public CheckpointEvent promoted(String version, String parent) {
        return promoted(version, parent, Task.ANSWER);
    }

    /** The same of a version that is for something else. */
    public CheckpointEvent promoted(String version, String parent, Task task) {
        return publish(version, parent, LOGITS, task).build();
    }

    /** A version whose weights are not those of its probe. */
    public CheckpointEvent promotedWithOtherWeights(String version, String parent) {
        return publish(version, parent, "9 9 9", Task.ANSWER).build();
    }

    /** A version of which a file, which its parent has not, has changed since it was announced. */
    public CheckpointEvent promotedButDamaged(String version, String parent) {
        CheckpointEvent event = publish(version, parent, "2 2 2", Task.ANSWER).build();
        files.put("/v1/checkpoints/" + version + "/files/fake-logits.txt", "1 1 1".getBytes(StandardCharsets.UTF_8));
        return event;
    }

    private CheckpointEvent.Builder publish(String version, String parent, String logits, Task task) {
        Map<String, String> content = new LinkedHashMap<>();
        content.put("fake-logits.txt", logits);
        content.put("fake-task.txt", task.name());
        content.put("probe.json", "{\"ids\": [1, 2, 3], \"logits\": [" + LOGITS.replace(" ", ", ") + "]}");
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                .setModel(version.substring(0, version.lastIndexOf('-')))
                .setVersion(version)
                .setParent(parent)
                .setState(VersionState.PROMOTED)
                .setUri("tidemill:tidemill/" + version)
                .setFilesUrl(
                        "http://127.0.0.1:" + server.getAddress().getPort() + "/v1/checkpoints/" + version + "/files/")
                .setTokenizerFingerprint(Ids.contentHash("tokenizer").substring(0, 16))
                .setParameters(42)
                .setEventTime(Timestamp.newBuilder().setSeconds(1_800_000_000L))
                .setVerdict(GateVerdict.newBuilder()
                        .setPassed(true)
                        .setSummary("All suites passed.")
                        .addAllSuites(suites(task)));
        content.forEach((path, text) -> {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            files.put("/v1/checkpoints/" + version + "/files/" + path, bytes);
            event.addFiles(FileDigest.newBuilder()
                    .setPath(path)
                    .setLength(bytes.length)
                    .setSha256(sha256(bytes)));
        });
        return event;
    }

    private static List<SuiteResult> suites(Task task) {
        return switch (task) {
            case ANSWER ->
                List.of(
                        suite("held-out-loss", "nats/token", 3.2, 3.1, 0.05),
                        suite("preference-accuracy", "share of pairs", 0.61, 0.66, 0.02));
            case CLASSIFY ->
                List.of(
                        suite("held-out-loss", "nats per text", 0.8, 0.5, 0.05),
                        suite("label-accuracy", "share of texts", 0.45, 0.75, 0.02));
            case FILL_MASK -> List.of(suite("held-out-loss", "nats per masked token", 2.2, 2.1, 0.05));
        };
    }

    private static SuiteResult suite(String name, String unit, double before, double after, double half) {
        return SuiteResult.newBuilder()
                .setSuite(name)
                .setUnit(unit)
                .setBefore(before)
                .setAfter(after)
                .setDifference(after - before)
                .setDifferenceLow(after - before - half)
                .setDifferenceHigh(after - before + half)
                .setAfterLow(after - half)
                .setAfterHigh(after + half)
                .setExamples(900)
                .setMargin(0.02)
                .setPassed(true)
                .setRule("not worse by more than 0.02")
                .build();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
