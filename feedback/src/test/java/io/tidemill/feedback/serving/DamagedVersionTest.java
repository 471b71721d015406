package io.tidemill.feedback.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.tidemill.feedback.answer.Engine;
import io.tidemill.feedback.answer.EngineLoader;
import io.tidemill.proto.checkpoint.CheckpointClient;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the store gives is not what was announced: nothing of it is loaded. */
class DamagedVersionTest {
    private static final int CASES = 60;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @TempDir
    Path directory;

    private final Map<String, byte[]> served = new ConcurrentHashMap<>();
    private final AtomicInteger loads = new AtomicInteger();
    private HttpServer server;
    private Path published;

    @BeforeEach
    void serve() throws IOException {
        published = Files.createDirectory(directory.resolve("published"));
        Files.writeString(published.resolve("config.json"), "{\"architectures\": [\"LlamaForCausalLM\"]}");
        byte[] weights = new byte[4_000];
        new Random(1).nextBytes(weights);
        Files.write(published.resolve("model.safetensors"), weights);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = served.get(exchange.getRequestURI().getPath());
            exchange.sendResponseHeaders(body == null ? 404 : 200, body == null || body.length == 0 ? -1 : body.length);
            if (body != null && body.length > 0) {
                exchange.getResponseBody().write(body);
            }
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private CheckpointEvent version(int round) throws IOException {
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion("m-" + String.format("%06d", round))
                .setState(VersionState.PROMOTED)
                .setFilesUrl("http://127.0.0.1:" + server.getAddress().getPort() + "/" + round + "/");
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Path file = published.resolve(name);
            event.addFiles(FileDigests.of(published, file));
            served.put("/" + round + "/" + name, Files.readAllBytes(file));
        }
        return event.build();
    }

    /** Loads nothing, and counts how often it was to. */
    private EngineLoader loader() {
        return new EngineLoader() {
            @Override
            public Engine load(String version, Path files) throws IOException {
                loads.incrementAndGet();
                throw new IOException("This loader of " + version + " never loads");
            }

            @Override
            public Tolerance tolerance() {
                return new Tolerance(0, 0);
            }
        };
    }

    @Test
    void aChangedBitOrATruncationIsNamedAndNothingIsLoaded() throws Exception {
        Random random = new Random(20_261_129);
        VersionLedger ledger = new VersionLedger("m");
        CheckpointClient client = new CheckpointClient(HttpClient.newHttpClient(), Optional.empty());
        try (ServedModel model = new ServedModel();
                ModelFollower follower = new ModelFollower(
                        ledger,
                        (event, parent) -> client.download(event, parent, file -> true),
                        loader(),
                        model,
                        directory.resolve("served"),
                        Clock.systemUTC(),
                        version -> {},
                        () -> {})) {
            follower.start();
            follower.ready();
            for (int round = 1; round <= CASES; round++) {
                CheckpointEvent event = version(round);
                String name = random.nextBoolean() ? "config.json" : "model.safetensors";
                byte[] bytes = served.get("/" + round + "/" + name);
                int at = random.nextInt(bytes.length);
                if (random.nextBoolean()) {
                    bytes[at] ^= (byte) (1 << random.nextInt(8));
                } else {
                    bytes = Arrays.copyOf(bytes, at);
                }
                served.put("/" + round + "/" + name, bytes);
                ledger.apply(event);
                follower.wake();
                await().atMost(PATIENCE)
                        .pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(5))
                        .until(() -> follower.status()
                                .failure()
                                .filter(failure -> failure.version().equals(event.getVersion())
                                        && failure.reason().contains(name))
                                .isPresent());
                assertThat(model.version()).isEmpty();
            }
            assertThat(loads).hasValue(0);

            ledger.apply(version(CASES + 1)); // one that is whole
            follower.wake();
            await().atMost(PATIENCE).until(() -> loads.get() > 0);
        }
    }
}
