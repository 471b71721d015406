package io.tidemill.trainer.service;

import io.tidemill.trainer.round.Trainer;
import io.tidemill.trainer.round.TrainerStatus;
import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/** Ready when every model has announced a champion; a trainer that was replaced by another, or failed, says so. */
@Readiness
@ApplicationScoped
public class TrainerReadiness implements HealthCheck {
    private final Trainers trainers;

    TrainerReadiness(Trainers trainers) {
        this.trainers = trainers;
    }

    @Override
    public HealthCheckResponse call() {
        // What is said is of the first that is not ready, for which somebody has to do something.
        Trainer trainer = trainers.all().stream()
                .filter(one -> !one.status().ready())
                .findFirst()
                .orElse(trainers.first());
        TrainerStatus status = trainer.status();
        HealthCheckResponseBuilder response = HealthCheckResponse.named("trainer")
                .status(status.ready())
                .withData(
                        "phase",
                        status.stopped() ? "FAILED" : status.round().getPhase().toString())
                .withData("model", trainer.model())
                .withData("stopped", status.stopped())
                .withData("versions", status.events().size());
        status.failure().ifPresent(reason -> response.withData("reason", reason));
        return response.build();
    }
}
