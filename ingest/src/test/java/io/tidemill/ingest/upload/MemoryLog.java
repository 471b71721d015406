package io.tidemill.ingest.upload;

import com.google.protobuf.Message;
import io.tidemill.proto.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A log in memory that acknowledges at once, or when it is told to, or never. */
final class MemoryLog implements EventLog {
    record Kept(String topic, String key, Message message, Optional<String> idempotencyKey) {}

    final List<Kept> kept = new ArrayList<>();
    private final List<CompletableFuture<Void>> unanswered = new ArrayList<>();
    private int failFrom = Integer.MAX_VALUE;
    private int answerAfter;
    private RuntimeException failure;
    int mostUnanswered;

    /** From this record on nothing is acknowledged. */
    void failFrom(int record, RuntimeException why) {
        failFrom = record;
        failure = why;
    }

    /** Acknowledges the oldest record only when so many more have been sent. */
    void answerAfter(int records) {
        answerAfter = records;
    }

    @Override
    public synchronized CompletableFuture<Void> append(
            Topic topic, String key, Message message, Optional<String> idempotencyKey) {
        if (kept.size() >= failFrom) {
            return CompletableFuture.failedFuture(failure);
        }
        kept.add(new Kept(topic.name(), key, message, idempotencyKey));
        if (answerAfter == 0) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> answer = new CompletableFuture<>();
        unanswered.add(answer);
        mostUnanswered = Math.max(mostUnanswered, unanswered.size());
        if (unanswered.size() >= answerAfter) {
            unanswered.forEach(future -> future.complete(null));
            unanswered.clear();
        }
        return answer;
    }

    /** Keys in the order of sending. */
    List<String> ids() {
        return kept.stream().map(Kept::key).toList();
    }
}
