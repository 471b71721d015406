package io.tidemill.feedback.rating;

import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.request.ErrorJson;
import io.tidemill.feedback.request.InvalidRequest;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Turns this service's own failures into answers that say what to do. */
public class ErrorMappers {
    @ServerExceptionMapper({
        InvalidRequest.class,
        Intake.OtherBody.class,
        NdjsonLines.TooLong.class,
        EventLog.Unavailable.class,
        EventLog.TooLarge.class
    })
    public Response map(RuntimeException problem) {
        return answer(problem);
    }

    /** The answer to one of these failures; any other is thrown on. */
    static Response answer(RuntimeException problem) {
        if (problem instanceof InvalidRequest invalid) {
            return json(400, ErrorJson.of(invalid)).build();
        }
        if (problem instanceof Intake.OtherBody) {
            return json(422, ErrorJson.of("invalid_request_error", "idempotency_key_reused", problem.getMessage()))
                    .build();
        }
        if (problem instanceof NdjsonLines.TooLong || problem instanceof EventLog.TooLarge) {
            return json(413, ErrorJson.of("invalid_request_error", "too_large", problem.getMessage()))
                    .build();
        }
        if (problem instanceof EventLog.Unavailable) {
            return json(503, ErrorJson.of("server_error", "kafka_unavailable", problem.getMessage()))
                    .header("Retry-After", "2")
                    .build();
        }
        throw problem;
    }

    private static Response.ResponseBuilder json(int status, Object body) {
        return Response.status(status).type(MediaType.APPLICATION_JSON).entity(body);
    }
}
