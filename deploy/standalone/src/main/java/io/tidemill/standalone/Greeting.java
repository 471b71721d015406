package io.tidemill.standalone;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;

/** Asks a Kafka once: a wrong address is told now, and not by retries without end. */
final class Greeting {
    private static final int PATIENCE_MILLIS = 10_000;

    private Greeting() {}

    /**
     * Returns once Kafka has answered.
     *
     * @param otherwise what to do if it does not: the end of the sentence
     * @throws CannotStartException if nothing answers within ten seconds
     */
    static void greet(String bootstrapServers, String otherwise) {
        try (Admin admin = Admin.create(Map.of(
                "bootstrap.servers", bootstrapServers,
                "request.timeout.ms", PATIENCE_MILLIS,
                "default.api.timeout.ms", PATIENCE_MILLIS))) {
            admin.describeCluster().nodes().get();
        } catch (ExecutionException | KafkaException e) {
            throw new CannotStartException(
                    "No Kafka answers at --bootstrap-servers '" + bootstrapServers + "' ("
                            + CannotStartException.rootMessage(e) + "); " + otherwise,
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CannotStartException("Interrupted.", e);
        }
    }
}
