package io.tidemill.feedback.rating;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.smallrye.common.annotation.Blocking;
import io.tidemill.feedback.FeedbackConfig;
import io.tidemill.feedback.access.AccessFilter;
import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.loop.RecentCompletions;
import io.tidemill.feedback.request.Fields;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Principal;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** What people say about answers. Answers 202 only after the broker has acknowledged: accepted means kept. */
@Path("/v1/feedback")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class FeedbackResource {
    /** Lines of a stream that may be on their way to the broker at once. */
    private static final int WINDOW = 256;

    /** How far a withdrawal reaches: the trainer freezes what it reads. */
    private static final String WITHDRAWAL_NOTE =
            "What no round has begun to read is not learned any more; a version that has learned it keeps it.";

    private final Intake intake;
    private final FeedbackReader reader;
    private final int maximumBytes;

    public FeedbackResource(Intake intake, RecentCompletions recent, FeedbackConfig config) {
        this.intake = intake;
        this.reader = new FeedbackReader(recent::whyNotRateable, intake::turnOf);
        this.maximumBytes = config.maximumRecordBytes();
    }

    @POST
    @Path("/thumbs")
    public Response thumbs(InputStream body, @HeaderParam("Idempotency-Key") String key, @Context RoutingContext call)
            throws IOException {
        return one(body, key, call, reader::thumb);
    }

    @POST
    @Path("/ratings")
    public Response ratings(InputStream body, @HeaderParam("Idempotency-Key") String key, @Context RoutingContext call)
            throws IOException {
        return one(body, key, call, reader::rating);
    }

    @POST
    @Path("/corrections")
    public Response corrections(
            InputStream body, @HeaderParam("Idempotency-Key") String key, @Context RoutingContext call)
            throws IOException {
        return one(body, key, call, reader::correction);
    }

    @POST
    @Path("/comments")
    public Response comments(InputStream body, @HeaderParam("Idempotency-Key") String key, @Context RoutingContext call)
            throws IOException {
        return one(body, key, call, reader::comment);
    }

    @POST
    @Path("/withdrawals")
    public Response withdrawals(
            InputStream body, @HeaderParam("Idempotency-Key") String key, @Context RoutingContext call)
            throws IOException {
        return withNote(one(body, key, call, reader::withdrawal), WITHDRAWAL_NOTE);
    }

    /** One object, an array of them, or with {@code application/x-ndjson} a stream of any length, one a line. */
    @POST
    @Path("/comparisons")
    public Response comparisons(
            InputStream body,
            @HeaderParam("Idempotency-Key") String key,
            @HeaderParam("Content-Type") String contentType,
            @Context RoutingContext call)
            throws IOException {
        Principal principal = AccessFilter.principal(call);
        Optional<String> idempotencyKey = Optional.ofNullable(key);
        if (contentType != null && contentType.startsWith("application/x-ndjson")) {
            return lines(body, idempotencyKey, principal);
        }
        byte[] bytes = whole(body);
        List<Fields> all = FeedbackReader.oneOrMany(Fields.parse(bytes));
        // All are read before the first is appended: a bad one leaves nothing half-taken.
        List<Feedback.Builder> read =
                all.stream().map(fields -> many(fields, all.size() > 1)).toList();
        List<CompletableFuture<String>> taken = new ArrayList<>();
        for (Feedback.Builder feedback : read) {
            taken.add(intake.accept(feedback, principal, idempotencyKey, taken.size(), bytes));
        }
        return accepted(taken.stream().map(EventLog::await).toList());
    }

    private Feedback.Builder many(Fields fields, boolean several) {
        if (several && !FeedbackReader.isSelfContained(fields)) {
            throw InvalidRequest.value(
                    fields.full("answer_a"), "nothing", "given: several at once must each hold prompt and answers");
        }
        return reader.comparison(fields);
    }

    private Response one(InputStream body, String key, RoutingContext call, Function<Fields, Feedback.Builder> read)
            throws IOException {
        byte[] bytes = whole(body);
        Feedback.Builder feedback = read.apply(Fields.ofObject(bytes));
        Principal principal = AccessFilter.principal(call);
        return accepted(
                List.of(EventLog.await(intake.accept(feedback, principal, Optional.ofNullable(key), 0, bytes))));
    }

    private Response lines(InputStream body, Optional<String> key, Principal principal) throws IOException {
        NdjsonLines lines = new NdjsonLines(body, maximumBytes);
        Window window = new Window();
        try {
            for (Optional<byte[]> line = lines.next(); line.isPresent(); line = lines.next()) {
                Feedback.Builder feedback = many(Fields.ofObject(line.get()), true);
                window.add(intake.accept(feedback, principal, key, lines.number(), line.get()));
            }
            window.drain();
        } catch (EventLog.Unavailable e) {
            return stopped(e, lines.number(), window.kept, key);
        } catch (InvalidRequest | NdjsonLines.TooLong | Intake.OtherBody | EventLog.TooLarge e) {
            return stopped(window.drained(e), lines.number(), window.kept, key);
        }
        return Response.accepted(JsonNodeFactory.instance.objectNode().put("accepted", window.kept))
                .build();
    }

    /** A line could not be taken: of the stream the first {@code kept} are, what follows is not known to be. */
    private static Response stopped(RuntimeException problem, long line, long kept, Optional<String> key) {
        Response answer = ErrorMappers.answer(problem);
        String remedy = key.isPresent()
                ? "send all of it again under the same key: what is kept counts once."
                : "send again from the one after them.";
        ((ObjectNode) answer.getEntity())
                .withObject("/error")
                .put("line", line)
                .put("accepted", kept)
                .put("remedy", "The first " + kept + " are kept; " + remedy);
        return answer;
    }

    /** What is on its way to the broker, acknowledged in the order of the stream. */
    private static final class Window {
        private final Deque<CompletableFuture<String>> onTheirWay = new ArrayDeque<>();
        private long kept;

        void add(CompletableFuture<String> next) {
            onTheirWay.add(next);
            if (onTheirWay.size() >= WINDOW) {
                awaitOldest();
            }
        }

        void drain() {
            while (!onTheirWay.isEmpty()) {
                awaitOldest();
            }
        }

        /** Waits for the rest before the stream is given up for this; a failure meanwhile comes before it. */
        RuntimeException drained(RuntimeException problem) {
            try {
                drain();
                return problem;
            } catch (EventLog.Unavailable | EventLog.TooLarge earlier) {
                return earlier;
            }
        }

        private void awaitOldest() {
            EventLog.await(onTheirWay.remove());
            kept++;
        }
    }

    private byte[] whole(InputStream body) throws IOException {
        byte[] bytes = body.readNBytes(maximumBytes + 1);
        if (bytes.length > maximumBytes) {
            throw new NdjsonLines.TooLong("The request", maximumBytes);
        }
        return bytes;
    }

    private static Response withNote(Response answer, String note) {
        ((ObjectNode) answer.getEntity()).put("note", note);
        return answer;
    }

    private static Response accepted(List<String> ids) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("feedback_id", ids.get(0));
        if (ids.size() > 1) {
            ArrayNode all = body.putArray("feedback_ids");
            ids.forEach(all::add);
        }
        return Response.accepted(body.put("accepted", ids.size())).build();
    }
}
