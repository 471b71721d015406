package io.tidemill.preprocess;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The broker of this JVM, a topic prefix, a folder and a free port for the service under test. */
public final class TestSettings implements QuarkusTestResourceLifecycleManager {
    public static final String PREFIX = "service-test.";

    @Override
    public Map<String, String> start() {
        try {
            Path data = Files.createTempDirectory(Path.of("target").toAbsolutePath(), "service-test-");
            return Map.of(
                    "kafka.bootstrap.servers",
                    SharedKafka.bootstrapServers(),
                    "tidemill.topic-prefix",
                    PREFIX,
                    "tidemill.data",
                    data.toString(),
                    "quarkus.http.test-port",
                    "0");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void stop() {}
}
