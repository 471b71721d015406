package io.tidemill.feedback.web;

import io.tidemill.feedback.request.ErrorJson;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** Below {@code /v1/} even a path that nobody serves is answered in the shape that OpenAI's clients read. */
public final class UnknownPath {
    private UnknownPath() {}

    public static void register(Router router) {
        router.errorHandler(404, UnknownPath::answer);
    }

    private static void answer(RoutingContext exchange) {
        exchange.response().setStatusCode(404);
        if (!exchange.normalizedPath().startsWith("/v1/")) {
            exchange.response().end();
            return;
        }
        String asked = exchange.request().method() + " " + exchange.normalizedPath();
        exchange.response()
                .putHeader("Content-Type", "application/json")
                .end(ErrorJson.of(
                                "invalid_request_error",
                                "unknown_url",
                                asked
                                        + " is not served here. Chat is POST /v1/chat/completions; the READMEs list the rest.")
                        .toString());
    }
}
