package io.tidemill.feedback;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FeedbackConfigTest {
    @Test
    void theDefaultsWorkOnOneMachine() {
        FeedbackConfig config = config(Map.of());
        assertThat(config.bootstrapServers()).isEqualTo("localhost:9092");
        assertThat(config.topicPrefix()).isEqualTo("tidemill.");
        assertThat(config.model()).isEqualTo("tidemill");
        assertThat(config.data()).isEqualTo(Path.of("./tidemill-data"));
        assertThat(config.storeUrl()).isEmpty();
        assertThat(config.threads()).isEqualTo(1);
        assertThat(config.maximumWaiting()).isEqualTo(32);
        assertThat(config.captureTimeout()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.authentication()).isEqualTo(FeedbackConfig.Authentication.NONE);
    }

    @Test
    void keysSharedByAllServicesAreRead() {
        FeedbackConfig config = config(Map.of(
                "kafka.bootstrap.servers", "kafka:1234",
                "tidemill.topic-prefix", "blue.",
                "tidemill.model", "other",
                "tidemill.store-url", "http://trainer:8083",
                "feedback.authentication", "api-key"));
        assertThat(config.bootstrapServers()).isEqualTo("kafka:1234");
        assertThat(config.topicPrefix()).isEqualTo("blue.");
        assertThat(config.model()).isEqualTo("other");
        assertThat(config.storeUrl()).hasValue(URI.create("http://trainer:8083"));
        assertThat(config.authentication()).isEqualTo(FeedbackConfig.Authentication.API_KEY);
    }

    private static FeedbackConfig config(Map<String, String> values) {
        return new SmallRyeConfigBuilder()
                .withMapping(FeedbackConfig.class)
                .addDefaultInterceptors()
                .withConverter(Duration.class, 100, new DurationConverter())
                .withDefaultValues(values)
                .build()
                .getConfigMapping(FeedbackConfig.class);
    }
}
