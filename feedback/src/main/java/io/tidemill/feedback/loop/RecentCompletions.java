package io.tidemill.feedback.loop;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The newest answers of this process and whether they were stored, so that a rating of one that was not is refused at
 * once instead of waiting in vain for its completion. What is no longer remembered, or was said by another process, is
 * given the benefit of the doubt.
 */
public final class RecentCompletions {
    private static final String STORED = "";

    private final Map<String, String> reasons;

    /** @param size completions that are remembered; some 200 bytes each */
    public RecentCompletions(int size) {
        this.reasons = Collections.synchronizedMap(new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
                return size() > size;
            }
        });
    }

    public void stored(String completionId) {
        reasons.put(completionId, STORED);
    }

    /** @param reason goes on from "this answer cannot be rated: " */
    public void notStored(String completionId, String reason) {
        reasons.put(completionId, reason);
    }

    /** Why an answer cannot be rated; empty where it can, or where nothing is known against it. */
    public Optional<String> whyNotRateable(String completionId) {
        return Optional.ofNullable(reasons.get(completionId)).filter(reason -> !reason.equals(STORED));
    }
}
