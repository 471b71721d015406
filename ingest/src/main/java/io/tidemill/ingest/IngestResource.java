package io.tidemill.ingest;

import io.micrometer.core.instrument.MeterRegistry;
import io.tidemill.ingest.upload.Answer;
import io.tidemill.ingest.upload.Intake;
import io.tidemill.proto.Caller;
import io.tidemill.proto.v1.Principal;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/**
 * The door for data over HTTP. Answers 202 only after the broker has acknowledged every record: accepted means kept.
 */
@Path("/v1")
@Tag(name = "ingest", description = "Records by HTTP into Kafka: one JSON object, an array of them, or NDJSON")
public class IngestResource {
    private static final String IDEMPOTENCY_KEY = "Idempotency-Key";
    private static final String KEY_MEANING =
            "A repeat with the same body is one event; another body under the same key is 422";

    private final IngestWiring wiring;
    private final MeterRegistry meters;

    IngestResource(IngestWiring wiring, MeterRegistry meters) {
        this.wiring = wiring;
        this.meters = meters;
    }

    @POST
    @Path("/documents")
    @Operation(
            summary = "Take documents",
            description =
                    "{document_id?, text, source?, language?, licence?, tags?, " + "event_time?, subjects?, group_id?}")
    public Response documents(
            InputStream body,
            @HeaderParam(HttpHeaders.CONTENT_TYPE) @Parameter(hidden = true) String type,
            @HeaderParam(HttpHeaders.CONTENT_ENCODING) @Parameter(hidden = true) String encoding,
            @HeaderParam(IDEMPOTENCY_KEY) @Parameter(description = KEY_MEANING) String key)
            throws IOException {
        return take(wiring.documents(), body, type, encoding, key);
    }

    @POST
    @Path("/demonstrations")
    @Operation(
            summary = "Take demonstrations",
            description = "{example_id?, messages: [{role, content}] or "
                    + "text_target: {text, labels, score}, source?, event_time?, subjects?, group_id?}")
    public Response demonstrations(
            InputStream body,
            @HeaderParam(HttpHeaders.CONTENT_TYPE) @Parameter(hidden = true) String type,
            @HeaderParam(HttpHeaders.CONTENT_ENCODING) @Parameter(hidden = true) String encoding,
            @HeaderParam(IDEMPOTENCY_KEY) @Parameter(description = KEY_MEANING) String key)
            throws IOException {
        return take(wiring.demonstrations(), body, type, encoding, key);
    }

    @POST
    @Path("/prompts")
    @Operation(
            summary = "Take prompts",
            description = "{prompt_id?, messages: [{role, content}], reward_data?, "
                    + "source?, event_time?, subjects?, group_id?}")
    public Response prompts(
            InputStream body,
            @HeaderParam(HttpHeaders.CONTENT_TYPE) @Parameter(hidden = true) String type,
            @HeaderParam(HttpHeaders.CONTENT_ENCODING) @Parameter(hidden = true) String encoding,
            @HeaderParam(IDEMPOTENCY_KEY) @Parameter(description = KEY_MEANING) String key)
            throws IOException {
        return take(wiring.prompts(), body, type, encoding, key);
    }

    @POST
    @Path("/preferences")
    @Operation(
            summary = "Take preference pairs from elsewhere",
            description = "{id?, prompt: text or messages, "
                    + "chosen, rejected, source?, group_id?, event_time?, subjects?}, as TRL has them")
    public Response preferences(
            InputStream body,
            @HeaderParam(HttpHeaders.CONTENT_TYPE) @Parameter(hidden = true) String type,
            @HeaderParam(HttpHeaders.CONTENT_ENCODING) @Parameter(hidden = true) String encoding,
            @HeaderParam(IDEMPOTENCY_KEY) @Parameter(description = KEY_MEANING) String key,
            @Context RoutingContext call)
            throws IOException {
        return take(wiring.preferences(sender(call)), body, type, encoding, key);
    }

    @POST
    @Path("/erasures")
    @Operation(
            summary = "Forget a person, an event with what was made of it, or a source",
            description =
                    "{subject or document_id or source, reason?, erasure_id?, lifted?}: from the answer on it is in no"
                            + " batch; lifted takes that back for what comes later")
    public Response erasures(
            InputStream body,
            @HeaderParam(HttpHeaders.CONTENT_TYPE) @Parameter(hidden = true) String type,
            @HeaderParam(HttpHeaders.CONTENT_ENCODING) @Parameter(hidden = true) String encoding,
            @HeaderParam(IDEMPOTENCY_KEY) @Parameter(description = KEY_MEANING) String key)
            throws IOException {
        return take(wiring.erasures(), body, type, encoding, key);
    }

    /** Who is known to have sent it: what an authenticator found, or that it came from this machine, or nobody. */
    private static Principal sender(RoutingContext call) {
        Principal known = call.get(Caller.ATTRIBUTE);
        if (known != null) {
            return known;
        }
        try {
            InetAddress address =
                    InetAddress.getByName(call.request().remoteAddress().hostAddress());
            return address.isLoopbackAddress() ? Caller.LOCAL : Principal.getDefaultInstance();
        } catch (UnknownHostException noAddress) {
            return Principal.getDefaultInstance();
        }
    }

    private Response take(Intake<?> intake, InputStream body, String type, String encoding, String key)
            throws IOException {
        Answer answer = wiring.uploads().take(intake, body, type, encoding, key);
        meters.counter("ingest_records", "kind", intake.name(), "outcome", "accepted")
                .increment((double) answer.accepted());
        meters.counter("ingest_records", "kind", intake.name(), "outcome", "refused")
                .increment((double) answer.refused());
        Response.ResponseBuilder response =
                Response.status(answer.status()).type(answer.mediaType()).entity(answer.body());
        answer.retryAfterSeconds().ifPresent(seconds -> response.header(HttpHeaders.RETRY_AFTER, seconds));
        if (answer.replayed()) {
            response.header("Idempotent-Replayed", "true");
        }
        if (!answer.bodyRead()) {
            response.header("Connection", "close"); // the rest of the body is not read
        }
        return response.build();
    }
}
