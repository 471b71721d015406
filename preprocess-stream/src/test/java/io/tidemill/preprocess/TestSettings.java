package io.tidemill.preprocess;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A topic prefix, a folder and a free port for the service under test. */
public final class TestSettings implements QuarkusTestResourceLifecycleManager {
    public static final String PREFIX = "service-test.";

    @Override
    public Map<String, String> start() {
        try {
            Path data = Files.createTempDirectory(Path.of("target").toAbsolutePath(), "service-test-");
            return Map.of(
                    "tidemill.topic-prefix", PREFIX,
                    "tidemill.data", data.toString(),
                    "quarkus.http.test-port", "0");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void stop() {}
}
