package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.feedback.access.AccessFilter;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.feedback.request.ErrorJson;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.feedback.serving.AnswerQueue;
import io.tidemill.feedback.serving.ServedModel;
import io.tidemill.feedback.web.ClientStream;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Function;
import org.jboss.logging.Logger;

/**
 * OpenAI's endpoints, and those of the same kind that ask an encoder about texts. They are routes rather than resources
 * because whether an answer is one document or a stream is said in the body, and because a client that leaves must stop its
 * generation.
 */
public final class GatewayRoutes {
    private static final Logger LOG = Logger.getLogger(GatewayRoutes.class);

    private static final int LONGEST_SESSION = 256;

    private final Gateway gateway;
    private final RequestReader reader;
    private final TextGateway texts;
    private final TextRequestReader textReader = new TextRequestReader();
    private final ServedModel served;
    private final Activity activity;
    private final String model;
    private final int maximumBodyBytes;
    private final long startedSeconds;

    GatewayRoutes(
            Gateway gateway,
            RequestReader reader,
            TextGateway texts,
            ServedModel served,
            Activity activity,
            String model,
            int maximumBodyBytes,
            Clock clock) {
        this.startedSeconds = clock.instant().getEpochSecond();
        this.gateway = gateway;
        this.reader = reader;
        this.texts = texts;
        this.served = served;
        this.activity = activity;
        this.model = model;
        this.maximumBodyBytes = maximumBodyBytes;
    }

    public void register(Router router) {
        asking(router, "/v1/chat/completions", generating(reader::chat));
        asking(router, "/v1/completions", generating(reader::rawText));
        asking(
                router,
                "/v1/classifications",
                (exchange, body, client) -> texts.classify(textReader.classifications(body), client));
        asking(router, "/v1/fill-mask", (exchange, body, client) -> texts.fillMask(textReader.fillMask(body), client));
        router.get("/v1/models").handler(this::models);
        router.get("/v1/models/:id").handler(this::model);
    }

    private Asking generating(Function<byte[], AskedFor> read) {
        return (exchange, body, client) -> {
            AskedFor asked = read.apply(body);
            Reply reply = asked.stream() ? new StreamedReply(client) : new WholeReply(client);
            gateway.ask(asked, AccessFilter.principal(exchange), session(exchange), reply);
        };
    }

    private void asking(Router router, String path, Asking asking) {
        router.post(path)
                .handler(BodyHandler.create(false).setBodyLimit(maximumBodyBytes))
                .handler(exchange -> answer(exchange, asking))
                .failureHandler(this::refuse);
    }

    private void answer(RoutingContext exchange, Asking asking) {
        ClientStream client = new ClientStream(exchange, Vertx.currentContext());
        // Reading and tokenizing a long prompt takes milliseconds, which the event loop does not have.
        exchange.vertx()
                .executeBlocking(
                        () -> {
                            answer(exchange, client, asking);
                            return null;
                        },
                        false);
    }

    private void answer(RoutingContext exchange, ClientStream client, Asking asking) {
        try {
            Buffer body = exchange.body().buffer();
            asking.ask(exchange, body == null ? new byte[0] : body.getBytes(), client);
        } catch (InvalidRequest e) {
            client.json(400, ErrorJson.of(e));
        } catch (Admission.UnknownModel e) {
            client.json(404, ErrorJson.of("invalid_request_error", "model_not_found", e.getMessage()));
        } catch (Admission.UnsuitedModel e) {
            client.json(400, ErrorJson.of("invalid_request_error", "model_not_supported", e.getMessage()));
        } catch (AnswerQueue.Full e) {
            turnAway(exchange, client, 429, "1", ErrorJson.of("rate_limit_error", "too_many_waiting", e.getMessage()));
        } catch (Admission.NoModel e) {
            turnAway(exchange, client, 503, "2", ErrorJson.of("server_error", "no_model", e.getMessage()));
        } catch (RuntimeException e) {
            LOG.error("A request could not be answered", e);
            activity.failed("gateway", e);
            client.json(500, ErrorJson.of("server_error", "failed", "The request failed; see the service's log."));
        }
    }

    private void turnAway(
            RoutingContext exchange, ClientStream client, int status, String retryAfterSeconds, ObjectNode body) {
        activity.turnedAway();
        exchange.response().putHeader("Retry-After", retryAfterSeconds);
        client.json(status, body);
    }

    private static Optional<String> session(RoutingContext exchange) {
        return Optional.ofNullable(exchange.request().getHeader("X-Session-Id"))
                .map(String::trim)
                .filter(session -> !session.isEmpty())
                .map(GatewayRoutes::checkedSession);
    }

    private static String checkedSession(String session) {
        if (session.length() > LONGEST_SESSION) {
            throw InvalidRequest.value("X-Session-Id", session, "at most " + LONGEST_SESSION + " characters");
        }
        return session;
    }

    private void refuse(RoutingContext exchange) {
        ClientStream client = new ClientStream(exchange, Vertx.currentContext());
        if (exchange.statusCode() == 413) {
            client.json(
                    413,
                    ErrorJson.of(
                            "invalid_request_error",
                            "too_large",
                            "The request is larger than " + maximumBodyBytes
                                    + " bytes (feedback.maximum-record-bytes)."));
            return;
        }
        LOG.error("A request failed", exchange.failure());
        client.json(500, ErrorJson.of("server_error", "failed", "The request failed; see the service's log."));
    }

    private void models(RoutingContext exchange) {
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        ArrayNode data = list.putArray("data");
        served.version().ifPresent(version -> {
            data.add(entry(model));
            data.add(entry(version));
        });
        served.canary().ifPresent(version -> data.add(entry(version)));
        new ClientStream(exchange, Vertx.currentContext()).json(200, list);
    }

    private void model(RoutingContext exchange) {
        ClientStream client = new ClientStream(exchange, Vertx.currentContext());
        String id = exchange.pathParam("id");
        Optional<String> version = served.version();
        boolean known = version.filter(id::equals).isPresent()
                || served.canary().filter(id::equals).isPresent();
        if (known || (version.isPresent() && id.equals(model))) {
            client.json(200, entry(id));
        } else {
            client.json(
                    404,
                    ErrorJson.of(
                            "invalid_request_error", "model_not_found", "The model '" + id + "' does not serve here."));
        }
    }

    private ObjectNode entry(String id) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("object", "model")
                .put("created", startedSeconds)
                .put("owned_by", "tidemill");
    }

    /** What an endpoint does with a body: refuses it, or starts to answer and returns. */
    private interface Asking {
        void ask(RoutingContext exchange, byte[] body, ClientStream client)
                throws AnswerQueue.Full, Admission.NoModel, Admission.UnknownModel, Admission.UnsuitedModel;
    }
}
