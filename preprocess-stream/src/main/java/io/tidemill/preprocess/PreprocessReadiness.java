package io.tidemill.preprocess;

import io.tidemill.preprocess.stream.StreamsApplication;
import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready when both applications take records; what stands in the way is in the data. */
@Readiness
@ApplicationScoped
public class PreprocessReadiness implements HealthCheck {
    private final PreprocessWiring wiring;

    PreprocessReadiness(PreprocessWiring wiring) {
        this.wiring = wiring;
    }

    @Override
    public HealthCheckResponse call() {
        StreamsApplication route = wiring.routeApplication();
        String tokenize = wiring.tokenizer()
                .running()
                .map(running -> running.application().state())
                .orElseGet(wiring.tokenizer()::problem);
        return HealthCheckResponse.named("preprocess-stream")
                .status(wiring.isReady())
                .withData("route", route.problem().orElseGet(route::state))
                .withData("tokenize", tokenize)
                .build();
    }
}
