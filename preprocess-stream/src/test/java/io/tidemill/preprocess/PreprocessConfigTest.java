package io.tidemill.preprocess;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PreprocessConfigTest {
    @Test
    void defaultsAreWhatTheContractSays() {
        PreprocessConfig config = load(Map.of());

        assertThat(config.bootstrapServers()).isEqualTo("localhost:9092");
        assertThat(config.topicPrefix()).isEqualTo("tidemill.");
        assertThat(config.model()).isEqualTo("tidemill");
        assertThat(config.data()).isEqualTo(Path.of("./tidemill-data"));
        assertThat(config.storeUrl()).isEmpty();
        assertThat(config.maxDocumentCharacters()).isEqualTo(1_000_000);
        assertThat(config.feedbackWait()).isEqualTo(Duration.ofHours(1));
        assertThat(config.completionRetention()).isEqualTo(Duration.ofDays(30));
        assertThat(config.deduplication().retention()).isEqualTo(Duration.ofDays(30));
        assertThat(config.split().salt()).isEqualTo("tidemill");
        assertThat(config.split().heldOutShare()).isEqualTo(0.05);
        assertThat(config.trust().unspecified()).isEqualTo(0.5);
        assertThat(config.commitInterval()).isEqualTo(Duration.ofMillis(200));
    }

    @Test
    void whatIsSharedWithTheOtherServicesComesFromTheSharedKeys() {
        PreprocessConfig config = load(Map.of(
                "kafka.bootstrap.servers", "broker:1",
                "tidemill.topic-prefix", "team.",
                "tidemill.model", "small",
                "tidemill.data", "/var/tidemill",
                "tidemill.store-url", "http://store:8083",
                "tidemill.replication-factor", "3"));

        assertThat(config.bootstrapServers()).isEqualTo("broker:1");
        assertThat(config.topicPrefix()).isEqualTo("team.");
        assertThat(config.model()).isEqualTo("small");
        assertThat(config.data()).isEqualTo(Path.of("/var/tidemill"));
        assertThat(config.storeUrl()).contains(URI.create("http://store:8083"));
        assertThat(config.replicationFactor()).isEqualTo(3);
    }

    private static PreprocessConfig load(Map<String, String> overrides) {
        return new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .addDefaultInterceptors()
                .withSources(new PropertiesConfigSource(overrides, "test", 100))
                .withMapping(PreprocessConfig.class)
                .build()
                .getConfigMapping(PreprocessConfig.class);
    }
}
