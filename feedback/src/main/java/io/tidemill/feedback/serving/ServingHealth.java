package io.tidemill.feedback.serving;

import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/** Ready as soon as a version answers; a failed takeover of the next one shows, and the one that serves stays ready. */
@Readiness
@ApplicationScoped
public class ServingHealth implements HealthCheck {
    private final ModelFollower follower;

    public ServingHealth(ModelFollower follower) {
        this.follower = follower;
    }

    @Override
    public HealthCheckResponse call() {
        ModelFollower.Status status = follower.status();
        HealthCheckResponseBuilder response = HealthCheckResponse.named("feedback-model")
                .status(status.version().isPresent());
        status.version().ifPresent(version -> response.withData("serving", version));
        status.canary().ifPresent(version -> response.withData("canary", version));
        status.loading().ifPresent(version -> response.withData("loading", version));
        status.failure()
                .ifPresent(failure -> response.withData("failure", failure.version() + ": " + failure.reason()));
        if (status.version().isEmpty()
                && status.loading().isEmpty()
                && status.failure().isEmpty()) {
            response.withData("reason", "No version has been promoted yet.");
        }
        return response.build();
    }
}
