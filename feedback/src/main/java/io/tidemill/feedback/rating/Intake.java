package io.tidemill.feedback.rating;

import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.loop.Activity;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Topic;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Principal;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Takes feedback in: gives it an id, says who sent it and when, appends it, and makes a repeat one event. Repeats are
 * known by their id. Those of the newest {@value #REMEMBERED} ids are not even appended; older ones are, under the same
 * id, which the reader of the log takes as the same event.
 */
public final class Intake {
    private static final int REMEMBERED = 50_000;

    private final EventLog log;
    private final Topic topic;
    private final Activity activity;
    private final Clock clock;
    private final Map<String, Taken> newest = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Taken> eldest) {
            return size() > REMEMBERED;
        }
    };

    public Intake(EventLog log, Topic topic, Activity activity, Clock clock) {
        this.log = log;
        this.topic = topic;
        this.activity = activity;
        this.clock = clock;
    }

    /**
     * Appends feedback unless it is a repeat.
     *
     * @param idempotencyKey of the request; an own feedback id comes first
     * @param index          of the feedback in its request
     * @param body           of the request, or its line: the same key with another body is refused
     * @return its id, once the broker has acknowledged it
     */
    CompletableFuture<String> accept(
            Feedback.Builder feedback, Principal principal, Optional<String> idempotencyKey, long index, byte[] body) {
        boolean byKey = feedback.getFeedbackId().isEmpty() && idempotencyKey.isPresent();
        String content = Ids.contentHash(byKey ? body : feedback.build().toByteArray());
        String id = id(feedback, principal, idempotencyKey, index);
        CompletableFuture<String> acknowledged;
        synchronized (newest) {
            Taken known = newest.get(id);
            if (known != null && !known.acknowledged().isCompletedExceptionally()) {
                if (known.content().equals(content)) {
                    return known.acknowledged();
                }
                if (byKey) {
                    throw new OtherBody(idempotencyKey.orElseThrow());
                }
            }
            Feedback event = complete(feedback, id, principal);
            String key = event.getTurnId().isEmpty() ? id : event.getTurnId();
            acknowledged = append(event, key);
            newest.remove(id);
            newest.put(id, new Taken(content, key, acknowledged));
        }
        return acknowledged;
    }

    /** The turn that an earlier feedback was about, while it is remembered. */
    Optional<String> turnOf(String feedbackId) {
        synchronized (newest) {
            return Optional.ofNullable(newest.get(feedbackId)).map(Taken::key);
        }
    }

    private static String id(
            Feedback.Builder feedback, Principal principal, Optional<String> idempotencyKey, long index) {
        if (!feedback.getFeedbackId().isEmpty()) {
            return feedback.getFeedbackId();
        }
        return idempotencyKey
                .map(key -> Ids.uuid8("feedback", principal.getSubject(), key, Long.toString(index)))
                .orElseGet(Ids::uuid7);
    }

    private Feedback complete(Feedback.Builder feedback, String id, Principal principal) {
        Instant now = clock.instant();
        feedback.setFeedbackId(id).setPrincipal(principal);
        if (!feedback.hasEventTime()) {
            feedback.setEventTime(
                    Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()));
        }
        if (feedback.getSubjectsCount() == 0) {
            feedback.addSubjects(principal.getSubject());
        }
        return feedback.build();
    }

    private CompletableFuture<String> append(Feedback event, String key) {
        String kind = event.getKindCase().name().toLowerCase(Locale.ROOT);
        return log.append(topic, key, (Message) event)
                .whenComplete((done, failure) -> {
                    if (failure == null) {
                        activity.rated(kind);
                    } else {
                        activity.failed("feedback", failure);
                    }
                })
                .thenApply(done -> event.getFeedbackId());
    }

    private record Taken(String content, String key, CompletableFuture<String> acknowledged) {}

    /** The same idempotency key came with another body. */
    static final class OtherBody extends RuntimeException {
        private static final long serialVersionUID = 1L;

        OtherBody(String key) {
            super("The Idempotency-Key '" + key + "' was used for other feedback before; use a new key.");
        }
    }
}
