package io.tidemill.ingest.upload;

import com.google.protobuf.Message;
import io.tidemill.proto.Topic;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Where events are kept. */
public interface EventLog {
    /**
     * Appends a record.
     *
     * @param idempotencyKey the request's key, written as a header so that a repeat can be told
     * @return completes when the record is kept; fails with the reason when that is not known within the log's time
     *         limit
     */
    CompletableFuture<Void> append(Topic topic, String key, Message message, Optional<String> idempotencyKey);
}
