package io.tidemill.feedback.loop;

import io.tidemill.feedback.web.ClientStream;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The state of the loop over HTTP: once, and pushed on change. However fast things change, a client hears at most one
 * state per {@link #PAUSE}, the newest; while nothing changes, nothing runs but the heartbeat.
 */
public final class LoopEvents implements AutoCloseable {
    static final Duration PAUSE = Duration.ofMillis(250);
    private static final Duration HEARTBEAT = Duration.ofSeconds(15);
    private static final int MOST_CLIENTS = 100;

    private final Set<ClientStream> clients = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean planned = new AtomicBoolean();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "feedback-loop-events");
        thread.setDaemon(true);
        return thread;
    });
    private volatile LoopView view;

    /** @param view what is shown; it may need {@link #changed} for its own making, so it comes here and not earlier */
    public void start(LoopView view) {
        this.view = view;
        timer.scheduleAtFixedRate(
                () -> clients.forEach(ClientStream::heartbeat),
                HEARTBEAT.toMillis(),
                HEARTBEAT.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    public void register(Router router) {
        router.get("/v1/loop")
                .handler(exchange -> new ClientStream(exchange, Vertx.currentContext()).json(200, view.json()));
        router.get("/v1/loop/events").handler(this::subscribe);
    }

    /** Something of the view has changed. */
    public void changed() {
        if (!clients.isEmpty() && planned.compareAndSet(false, true)) {
            try {
                timer.schedule(this::push, PAUSE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException closed) {
                planned.set(false);
            }
        }
    }

    private void subscribe(RoutingContext exchange) {
        ClientStream client = new ClientStream(exchange, Vertx.currentContext());
        if (clients.size() >= MOST_CLIENTS) {
            exchange.response()
                    .setStatusCode(503)
                    .putHeader("Retry-After", "10")
                    .end();
            return;
        }
        client.openEvents();
        client.event(view.json().toString());
        clients.add(client);
        client.whenGone(() -> clients.remove(client));
    }

    private void push() {
        planned.set(false);
        String state = view.json().toString();
        for (ClientStream client : clients) {
            // Who reads too slowly skips states; the next one is complete in itself.
            if (!client.congested()) {
                client.event(state);
            }
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
        clients.forEach(ClientStream::end);
    }
}
