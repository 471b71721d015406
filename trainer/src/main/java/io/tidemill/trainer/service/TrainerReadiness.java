package io.tidemill.trainer.service;

import io.tidemill.trainer.round.Trainer;
import io.tidemill.trainer.round.TrainerStatus;
import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/** Ready when a champion is announced; a trainer that was replaced by another, or failed, says so. */
@Readiness
@ApplicationScoped
public class TrainerReadiness implements HealthCheck {
    private final Trainer trainer;

    TrainerReadiness(Trainer trainer) {
        this.trainer = trainer;
    }

    @Override
    public HealthCheckResponse call() {
        TrainerStatus status = trainer.status();
        HealthCheckResponseBuilder response = HealthCheckResponse.named("trainer")
                .status(status.ready())
                .withData(
                        "phase",
                        status.stopped() ? "FAILED" : status.round().getPhase().toString())
                .withData("stopped", status.stopped())
                .withData("versions", status.events().size());
        status.failure().ifPresent(reason -> response.withData("reason", reason));
        return response.build();
    }
}
