package io.tidemill.ingest.upload;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The answers to the newest requests that had an idempotency key, up to a weight.
 *
 * <p>What is forgotten here, or by a restart, is sent again when it is repeated; its records then have the same ids, and
 * downstream drops them. Only that another body was sent under a forgotten key cannot be told any more.
 */
public final class IdempotencyKeys {
    /** What is known of a key. Without an answer its first request is still running. */
    private record Known(String bodyHash, Answer answer) {
        long weightBytes() {
            return answer == null ? 0 : answer.weightBytes();
        }
    }

    /** How a request with a key begins. */
    enum Begin {
        /** Nobody used the key before. */
        FIRST,
        /** A request with this key is running. */
        RUNNING,
        /** A request with this key has an answer; read the body and compare. */
        ANSWERED
    }

    private final long maxWeightBytes;
    private final Map<String, Known> known = new LinkedHashMap<>(16, 0.75f, true);
    private long weightBytes;

    public IdempotencyKeys(long maxWeightBytes) {
        this.maxWeightBytes = maxWeightBytes;
    }

    synchronized Begin begin(String key) {
        Known before = known.get(key);
        if (before == null) {
            known.put(key, new Known("", null));
            return Begin.FIRST;
        }
        return before.answer == null ? Begin.RUNNING : Begin.ANSWERED;
    }

    /** The answer that the same body got under this key; null when the body was another or the key is forgotten. */
    synchronized Answer answer(String key, String bodyHash) {
        Known before = known.get(key);
        return before == null || before.answer == null || !before.bodyHash.equals(bodyHash)
                ? null
                : before.answer.asReplay();
    }

    /** The first request ended with an answer that a repeat shall get as well. */
    synchronized void answered(String key, String bodyHash, Answer answer) {
        Known now = new Known(bodyHash, answer);
        known.put(key, now);
        weightBytes += now.weightBytes() + 2L * key.length();
        for (Iterator<Map.Entry<String, Known>> oldest = known.entrySet().iterator();
                weightBytes > maxWeightBytes && oldest.hasNext(); ) {
            Map.Entry<String, Known> entry = oldest.next();
            if (entry.getValue().answer != null) {
                weightBytes -=
                        entry.getValue().weightBytes() + 2L * entry.getKey().length();
                oldest.remove();
            }
        }
    }

    /** The first request ended without an answer worth keeping: the next one starts anew. */
    synchronized void forget(String key) {
        known.remove(key);
    }
}
