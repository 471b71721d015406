package io.tidemill.ingest;

import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready once the topics are there with the catalogue's partitions. */
@Readiness
@ApplicationScoped
public class IngestReadiness implements HealthCheck {
    private final IngestWiring wiring;

    IngestReadiness(IngestWiring wiring) {
        this.wiring = wiring;
    }

    @Override
    public HealthCheckResponse call() {
        return wiring.closedBecause()
                .map(reason -> HealthCheckResponse.named("ingest topics")
                        .down()
                        .withData("reason", reason)
                        .build())
                .orElseGet(() -> HealthCheckResponse.up("ingest topics"));
    }
}
