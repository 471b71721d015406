package io.tidemill.feedback.rating;

import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.request.ErrorJson;
import io.tidemill.feedback.request.InvalidRequest;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Turns this service's own failures into answers that say what to do. */
public class ErrorMappers {
    @ServerExceptionMapper
    public Response invalid(InvalidRequest problem) {
        return json(400, ErrorJson.of(problem)).build();
    }

    @ServerExceptionMapper
    public Response otherBody(Intake.OtherBody problem) {
        return json(422, ErrorJson.of("invalid_request_error", "idempotency_key_reused", problem.getMessage()))
                .build();
    }

    @ServerExceptionMapper
    public Response tooLong(NdjsonLines.TooLong problem) {
        return json(413, ErrorJson.of("invalid_request_error", "too_large", problem.getMessage()))
                .build();
    }

    @ServerExceptionMapper
    public Response unavailable(EventLog.Unavailable problem) {
        return json(503, ErrorJson.of("server_error", "kafka_unavailable", problem.getMessage()))
                .header("Retry-After", "2")
                .build();
    }

    @ServerExceptionMapper
    public Response tooLarge(EventLog.TooLarge problem) {
        return json(413, ErrorJson.of("invalid_request_error", "too_large", problem.getMessage()))
                .build();
    }

    private static Response.ResponseBuilder json(int status, Object body) {
        return Response.status(status).type(MediaType.APPLICATION_JSON).entity(body);
    }
}
