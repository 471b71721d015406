package io.tidemill.ingest;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import java.util.Map;

/**
 * The broker of the test JVM. The broker finds its own parts through the thread's class loader, which during a test of
 * Quarkus sees a second copy of them; so it is started under the loader that it lives in.
 */
public final class TestBroker implements QuarkusTestResourceLifecycleManager {
    @Override
    public Map<String, String> start() {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
        try {
            return Map.of("kafka.bootstrap.servers", SharedKafka.bootstrapServers());
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    @Override
    public void stop() {}
}
