package io.tidemill.deploy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.deploy.kafka.testing.KafkaTestResource;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import java.net.URL;
import java.net.URLClassLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SharedKafkaTest {
    @Test
    void everyClassLoaderOfATestJvmSeesTheSameBroker() throws Exception {
        URL classes = SharedKafka.class.getProtectionDomain().getCodeSource().getLocation();
        try (URLClassLoader other = new URLClassLoader(new URL[] {classes}, ClassLoader.getPlatformClassLoader())) {
            Class<?> again = other.loadClass(SharedKafka.class.getName());
            assertThat(again).isNotSameAs(SharedKafka.class);
            assertThat(again.getMethod("bootstrapServers").invoke(null)).isEqualTo(SharedKafka.bootstrapServers());
        }
    }

    @Test
    void aQuarkusTestGetsItsAddress() {
        assertThat(new KafkaTestResource().start())
                .containsEntry("kafka.bootstrap.servers", SharedKafka.bootstrapServers());
    }
}
