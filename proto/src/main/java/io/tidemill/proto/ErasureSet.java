package io.tidemill.proto;

import io.tidemill.proto.v1.Erasure;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/** The erasures in force: the newest word on each thing that was ever erased. Safe for several threads. */
public final class ErasureSet {
    private final Map<String, Erasure> byKey = new ConcurrentHashMap<>();
    private final AtomicLong changes = new AtomicLong();

    /** Nothing is erased. */
    public static ErasureSet none() {
        return new ErasureSet();
    }

    /** These, in the topic's order. */
    public static ErasureSet of(Collection<Erasure> erasures) {
        ErasureSet set = new ErasureSet();
        erasures.forEach(set::add);
        return set;
    }

    /** Takes one more record of the topic; one that lifts an erasure ends it. */
    public void add(Erasure erasure) {
        String key = ErasureKeys.of(erasure);
        if (erasure.getLifted()) {
            byKey.remove(key);
        } else {
            byKey.put(key, named(erasure));
        }
        changes.incrementAndGet();
    }

    /** Goes up whenever something was added. */
    public long changes() {
        return changes.get();
    }

    /** The same for the same things erased, in whatever order; names none of them. */
    public String digest() {
        return Ids.contentHash(byKey.keySet().stream().sorted().collect(Collectors.joining("\n")));
    }

    /** The same with an id: who writes to the topic by hand need not make one. */
    public static Erasure named(Erasure erasure) {
        return erasure.getErasureId().isEmpty()
                ? erasure.toBuilder()
                        .setErasureId(Ids.contentHash(ErasureKeys.of(erasure)))
                        .build()
                : erasure;
    }

    public boolean isEmpty() {
        return byKey.isEmpty();
    }

    public List<Erasure> all() {
        return List.copyOf(byKey.values());
    }

    /** The first erasure found that concerns a record that goes by these keys. */
    public Optional<Erasure> concerning(Collection<String> keys) {
        if (byKey.isEmpty()) {
            return Optional.empty();
        }
        return keys.stream().map(byKey::get).filter(found -> found != null).findFirst();
    }

    public boolean concerns(Collection<String> keys) {
        return concerning(keys).isPresent();
    }
}
