package io.tidemill.feedback.testing;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.Ids;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The broker of the JVM, a data directory and a topic prefix of this service's own. */
public final class ServiceTestResource implements QuarkusTestResourceLifecycleManager {
    @Override
    public Map<String, String> start() {
        try {
            Path data = Files.createTempDirectory(Path.of("target"), "data-");
            return Map.of(
                    "kafka.bootstrap.servers",
                    SharedKafka.bootstrapServers(),
                    "tidemill.data",
                    data.toAbsolutePath().toString(),
                    "tidemill.topic-prefix",
                    "feedback-" + Ids.uuid7() + ".",
                    "feedback.generators",
                    "1",
                    "feedback.maximum-waiting",
                    "4",
                    // A busy machine must not make an answer unrateable in the middle of a test about ratings.
                    "feedback.capture-timeout",
                    "20s");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void stop() {}
}
