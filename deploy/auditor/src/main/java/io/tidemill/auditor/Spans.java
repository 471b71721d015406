package io.tidemill.auditor;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** A set of offsets, kept as ranges that do not touch each other's inside. */
final class Spans {
    private final Map<TopicPartition, NavigableMap<Long, Long>> ranges = new HashMap<>(); // from → to

    void add(Collection<Span> spans) {
        remove(spans); // what is added replaces, so that nothing overlaps
        for (Span span : spans) {
            if (!span.empty()) {
                of(span.partition()).put(span.from(), span.to());
            }
        }
    }

    void remove(Collection<Span> spans) {
        spans.forEach(this::remove);
    }

    private void remove(Span span) {
        NavigableMap<Long, Long> of = of(span.partition());
        for (Span hit : within(span)) {
            of.remove(hit.from());
            if (hit.from() < span.from()) {
                of.put(hit.from(), span.from());
            }
            if (hit.to() > span.to()) {
                of.put(span.to(), hit.to());
            }
        }
    }

    /** Ranges that share an offset with this one, as they stand. */
    private List<Span> within(Span span) {
        List<Span> hits = new ArrayList<>();
        if (span.empty()) {
            return hits;
        }
        NavigableMap<Long, Long> of = of(span.partition());
        Map.Entry<Long, Long> before = of.floorEntry(span.from());
        long first = before != null && before.getValue() > span.from() ? before.getKey() : span.from();
        of.subMap(first, true, span.to(), false).forEach((from, to) -> hits.add(new Span(span.partition(), from, to)));
        return hits;
    }

    /** The first range that shares an offset with this one, or null. */
    Span overlap(Span span) {
        List<Span> hits = within(span);
        return hits.isEmpty() ? null : hits.get(0);
    }

    /** What is both here and there. */
    List<Span> common(Collection<Span> spans) {
        List<Span> common = new ArrayList<>();
        for (Span span : spans) {
            for (Span hit : within(span)) {
                common.add(
                        new Span(span.partition(), Math.max(hit.from(), span.from()), Math.min(hit.to(), span.to())));
            }
        }
        return common;
    }

    boolean contains(TopicPartition partition, long offset) {
        NavigableMap<Long, Long> of = ranges.get(partition);
        Map.Entry<Long, Long> entry = of == null ? null : of.floorEntry(offset);
        return entry != null && offset < entry.getValue();
    }

    List<Span> all() {
        List<Span> all = new ArrayList<>();
        ranges.forEach((partition, of) -> of.forEach((from, to) -> all.add(new Span(partition, from, to))));
        return all;
    }

    private NavigableMap<Long, Long> of(TopicPartition partition) {
        return ranges.computeIfAbsent(partition, none -> new TreeMap<>());
    }
}
