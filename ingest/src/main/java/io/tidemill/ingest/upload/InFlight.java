package io.tidemill.ingest.upload;

import io.tidemill.proto.Topic;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The records of one request between sending and acknowledgement. Waits for the oldest when there are too many: that is
 * the back-pressure, because nothing is read from the client meanwhile.
 */
final class InFlight {
    private record Sent(long line, String id, int bytes, CompletableFuture<Void> kept) {}

    private final EventLog log;
    private final Topic topic;
    private final Optional<String> idempotencyKey;
    private final UploadLimits limits;
    private final Deque<Sent> waiting = new ArrayDeque<>();
    private final LineRanges acceptedLines = new LineRanges();
    private final List<String> ids = new ArrayList<>();
    private String firstId = "";
    private String lastId = "";
    private long accepted;
    private long bytes;
    private Throwable failure;

    InFlight(EventLog log, Topic topic, Optional<String> idempotencyKey, UploadLimits limits) {
        this.log = log;
        this.topic = topic;
        this.idempotencyKey = idempotencyKey;
        this.limits = limits;
    }

    /** Sends a record; after a failure it sends nothing more. */
    void send(long line, Event event) {
        while (failure == null
                && (waiting.size() >= limits.inFlightRecords() || bytes >= limits.inFlightBytes())
                && !waiting.isEmpty()) {
            settleOldest();
        }
        if (failure == null) {
            int size = event.message().getSerializedSize();
            bytes += size;
            waiting.add(
                    new Sent(line, event.id(), size, log.append(topic, event.key(), event.message(), idempotencyKey)));
            while (!waiting.isEmpty() && waiting.peek().kept.isDone()) {
                settleOldest();
            }
        }
    }

    /** Waits for all that is under way. */
    void settle() {
        while (!waiting.isEmpty()) {
            settleOldest();
        }
    }

    private void settleOldest() {
        Sent oldest = waiting.remove();
        bytes -= oldest.bytes;
        try {
            // The log gives up by itself; this only guards against one that does not.
            Duration longest = limits.acknowledgeTimeout().multipliedBy(2).plusSeconds(1);
            oldest.kept.get(longest.toMillis(), TimeUnit.MILLISECONDS);
            accepted++;
            acceptedLines.add(oldest.line);
            if (ids.size() < limits.batchRecords()) {
                ids.add(oldest.id);
            }
            firstId = firstId.isEmpty() ? oldest.id : firstId;
            lastId = oldest.id;
        } catch (ExecutionException e) {
            fail(e.getCause());
        } catch (TimeoutException e) {
            fail(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(e);
        }
    }

    private void fail(Throwable cause) {
        failure = failure == null ? cause : failure;
    }

    /** Why a record was not acknowledged; empty while all were. */
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    long accepted() {
        return accepted;
    }

    String acceptedLines() {
        return acceptedLines.toString();
    }

    /** All ids, or none where they are more than an answer lists. */
    List<String> ids() {
        return accepted > ids.size() ? List.of() : ids;
    }

    String firstId() {
        return firstId;
    }

    String lastId() {
        return lastId;
    }
}
