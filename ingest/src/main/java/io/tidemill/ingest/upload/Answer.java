package io.tidemill.ingest.upload;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a request is told.
 *
 * @param status            HTTP status
 * @param body              JSON by name
 * @param accepted          records that the log has acknowledged
 * @param refused           records that were refused
 * @param retryAfterSeconds when trying again makes sense
 * @param bodyRead          whether the request's body was read to its end
 * @param replayed          whether this is the answer to an earlier request with the same idempotency key
 */
public record Answer(
        int status,
        Map<String, Object> body,
        long accepted,
        long refused,
        Optional<Integer> retryAfterSeconds,
        boolean bodyRead,
        boolean replayed) {
    /** Media type of the body: a problem of RFC 9457, or plain JSON where something was taken. */
    public String mediaType() {
        return status >= 400 ? "application/problem+json" : "application/json";
    }

    /** A request that is refused as a whole before anything of it is taken. */
    static Answer problem(int status, String title, String detail) {
        return of(status, title, detail, Map.of(), 0, 0, Optional.empty(), false);
    }

    static Answer of(
            int status,
            String title,
            String detail,
            Map<String, Object> more,
            long accepted,
            long refused,
            Optional<Integer> retryAfterSeconds,
            boolean bodyRead) {
        Map<String, Object> body = new LinkedHashMap<>();
        if (status >= 400) {
            body.put("type", "about:blank");
            body.put("status", status);
        }
        if (!title.isEmpty()) {
            body.put("title", title);
            body.put("detail", detail);
        }
        body.put("accepted", accepted);
        body.putAll(more);
        return new Answer(status, body, accepted, refused, retryAfterSeconds, bodyRead, false);
    }

    Answer asReplay() {
        return new Answer(status, body, accepted, 0, retryAfterSeconds, bodyRead, true);
    }

    /** Roughly what it takes to keep this answer. Unit: bytes. */
    long weightBytes() {
        long weight = 500;
        for (Object value : body.values()) {
            weight += value instanceof List<?> list
                    ? 200L * list.size()
                    : 100 + String.valueOf(value).length();
        }
        return weight;
    }
}
