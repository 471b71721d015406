package io.tidemill.deploy.kafka.testing;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.Map;

/**
 * Gives a {@code @QuarkusTest} the broker of its JVM as {@code kafka.bootstrap.servers}.
 *
 * <pre>  {@literal @}QuarkusTestResource(KafkaTestResource.class)  </pre>
 */
public final class KafkaTestResource implements QuarkusTestResourceLifecycleManager {
    @Override
    public Map<String, String> start() {
        return Map.of("kafka.bootstrap.servers", SharedKafka.bootstrapServers());
    }

    /** Does nothing: the broker outlives the test class and goes with the JVM. */
    @Override
    public void stop() {}
}
