package io.tidemill.preprocess.state;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemill.proto.ErasureSet;
import java.util.Arrays;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Which erasures a store was purged of, kept in the store itself: it is gone through when that changes, also at a restart,
 * and never otherwise.
 */
public final class Purged {
    private static final Bytes KEY = Bytes.wrap("!purged".getBytes(UTF_8)); // no map has '!' for its name

    private final KeyValueStore<Bytes, byte[]> store;
    private final ErasureSet erased;
    private long seen = -1;

    public Purged(KeyValueStore<Bytes, byte[]> store, ErasureSet erased) {
        this.store = store;
        this.erased = erased;
    }

    /** Runs the purge if there are erasures that the store was not purged of. */
    public void unlessDone(Runnable purge) {
        long now = erased.changes();
        if (now == seen) {
            return;
        }
        byte[] digest = erased.digest().getBytes(UTF_8);
        if (!erased.isEmpty() && !Arrays.equals(store.get(KEY), digest)) {
            purge.run();
            store.put(KEY, digest);
        }
        seen = now;
    }
}
