package io.tidemill.feedback.web;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;

/**
 * One HTTP response that is written from any thread: everything hops to the connection's own event loop, in the order of
 * the calls. Knows when the client has gone.
 */
public final class ClientStream {
    private final HttpServerResponse response;
    private final Context context;
    private volatile boolean gone;
    private volatile Runnable whenGone = () -> {};

    /** Call it on the connection's event loop, before anything is written. */
    public ClientStream(RoutingContext exchange, Context context) {
        this.response = exchange.response();
        this.context = context;
        response.closeHandler(unused -> left());
        response.exceptionHandler(unused -> left());
    }

    private void left() {
        gone = true;
        whenGone.run();
    }

    /** Whether the client closed the connection. */
    public boolean gone() {
        return gone;
    }

    /** Runs once the client has gone, at once if it has. */
    public void whenGone(Runnable action) {
        whenGone = action;
        if (gone) {
            action.run();
        }
    }

    /** One JSON document is the whole response. */
    public void json(int status, JsonNode body) {
        Buffer bytes = Buffer.buffer(body.toString());
        onLoop(() -> {
            if (!response.ended()) {
                response.setStatusCode(status)
                        .putHeader("Content-Type", "application/json")
                        .end(bytes);
            }
        });
    }

    /** Opens a stream of server-sent events. */
    public void openEvents() {
        onLoop(() -> response.setChunked(true)
                .putHeader("Content-Type", "text/event-stream; charset=utf-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Accel-Buffering", "no"));
    }

    /** Sends one event. */
    public void event(String data) {
        write("data: " + data + "\n\n");
    }

    /** Keeps proxies from closing a silent stream. */
    public void heartbeat() {
        write(": \n\n");
    }

    /** Whether the client reads slower than it is written to. */
    public boolean congested() {
        return response.writeQueueFull();
    }

    private void write(String text) {
        Buffer bytes = Buffer.buffer(text.getBytes(StandardCharsets.UTF_8));
        onLoop(() -> {
            if (!response.ended()) {
                response.write(bytes);
            }
        });
    }

    /** Closes the stream. */
    public void end() {
        onLoop(() -> {
            if (!response.ended()) {
                response.end();
            }
        });
    }

    private void onLoop(Runnable action) {
        context.runOnContext(unused -> {
            if (!gone) {
                action.run();
            }
        });
    }
}
