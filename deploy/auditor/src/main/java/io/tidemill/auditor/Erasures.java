package io.tidemill.auditor;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Provenance;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Who and what is to be forgotten, and since which offset. A version's event says up to where of the topic it was told; from
 * there on an erasure concerns whatever goes by its name (docs/decisions/0022): subjects and the principal, ids and group,
 * source. What compaction has taken from the topic is older than a newer word on the same thing.
 */
final class Erasures {
    private static final String SUBJECT = "subject/";
    private static final String DOCUMENT = "document/";
    private static final String SOURCE = "source/";
    private static final String SESSION = "session:";

    private final Map<String, NavigableMap<Long, Boolean>> inForce = new HashMap<>(); // by name: offset → until lifted

    void take(ConsumerRecord<byte[], byte[]> record) {
        Wire.read(Erasure.getDefaultInstance(), record.value(), record.headers())
                .ifPresent(erasure -> name(erasure)
                        .ifPresent(name -> inForce.computeIfAbsent(name, none -> new TreeMap<>())
                                .put(record.offset(), !erasure.getLifted())));
    }

    private static Optional<String> name(Erasure erasure) {
        if (!erasure.getSubject().isEmpty()) {
            return Optional.of(SUBJECT + erasure.getSubject());
        }
        if (!erasure.getDocumentId().isEmpty()) {
            return Optional.of(DOCUMENT + erasure.getDocumentId());
        }
        return erasure.getSource().isEmpty() ? Optional.empty() : Optional.of(SOURCE + erasure.getSource());
    }

    /** What an example goes by. */
    static Set<String> names(Example example) {
        Provenance provenance = example.provenance();
        Set<String> names = new LinkedHashSet<>();
        add(names, provenance.getSubjectsList());
        add(names, List.of(provenance.getPrincipal().getSubject()));
        addIds(names, example.parents());
        addIds(names, List.of(provenance.getGroupId()));
        if (!provenance.getSource().isEmpty()) {
            names.add(SOURCE + provenance.getSource());
        }
        return names;
    }

    /** What a record without source goes by. */
    static Set<String> names(Collection<String> subjects, Collection<String> ids) {
        Set<String> names = new LinkedHashSet<>();
        add(names, subjects);
        addIds(names, ids);
        return names;
    }

    private static void add(Set<String> names, Collection<String> subjects) {
        subjects.stream().filter(subject -> !subject.isEmpty()).forEach(subject -> names.add(SUBJECT + subject));
    }

    /** A completion's id begins with its response's, and a group may be a session. */
    private static void addIds(Set<String> names, Collection<String> ids) {
        for (String id : ids) {
            if (!id.isEmpty()) {
                names.add(DOCUMENT + id);
                if (id.startsWith(SESSION)) {
                    names.add(DOCUMENT + id.substring(SESSION.length()));
                }
                if (id.lastIndexOf('/') > 0) {
                    names.add(DOCUMENT + id.substring(0, id.lastIndexOf('/')));
                }
            }
        }
    }

    /** The name of which this version's round was told that it is erased. */
    Optional<String> before(CheckpointEvent version, Set<String> names) {
        return before(version.getLineage().getErasuresOffset(), names);
    }

    /** The name that is erased by now. */
    Optional<String> now(Set<String> names) {
        return before(Long.MAX_VALUE, names);
    }

    private Optional<String> before(long end, Set<String> names) {
        return names.stream()
                .filter(name -> {
                    NavigableMap<Long, Boolean> words = inForce.get(name);
                    Map.Entry<Long, Boolean> newest = words == null ? null : words.lowerEntry(end);
                    return newest != null && newest.getValue();
                })
                .findFirst();
    }
}
