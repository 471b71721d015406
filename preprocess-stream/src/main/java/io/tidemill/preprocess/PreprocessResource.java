package io.tidemill.preprocess;

import io.tidemill.preprocess.PreprocessState.Application;
import io.tidemill.preprocess.stream.StreamsApplication;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.Map;

/** Tells how the stream is doing. */
@Path("/v1/preprocess")
public class PreprocessResource {
    private final PreprocessWiring wiring;

    PreprocessResource(PreprocessWiring wiring) {
        this.wiring = wiring;
    }

    /** State, lag and counts. */
    @GET
    @Produces(MediaType.APPLICATION_JSON)
    public PreprocessState state() {
        return new PreprocessState(
                wiring.isReady(),
                List.of(application("route", wiring.routeApplication(), "", ""), tokenize()),
                wiring.outcomes().snapshot());
    }

    private Application tokenize() {
        return wiring.tokenizer()
                .running()
                .map(running -> application(
                        "tokenize",
                        running.application(),
                        running.version(),
                        running.tokenization().fingerprint()))
                .orElseGet(() -> new Application(
                        "tokenize", "", "WAITING", wiring.tokenizer().problem(), "", "", Map.of()));
    }

    private static Application application(
            String name, StreamsApplication application, String version, String tokenizer) {
        return new Application(
                name,
                application.id(),
                application.state(),
                application.problem().orElse(""),
                version,
                tokenizer,
                application.lagRecords());
    }
}
