package io.tidemill.auditor;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;

/**
 * Where each offset belongs, as a fold over a model's events: in the slice of one version of the live ancestry, in
 * quarantine, waiting for its retry, or beyond all that was read.
 *
 * <p>The rule of the architecture, section 4: what a refused or rolled back version read is owed until a version of the
 * live ancestry has read it, or a second refusal has sent it to quarantine. Nobody reads new data while something is
 * owed; what was owed and left behind all the same is passed over.
 */
final class Course {
    private final Predicate<String> exampleTopic;

    private final Map<String, CheckpointEvent> announced = new LinkedHashMap<>();
    private final Map<String, CheckpointEvent> newest = new HashMap<>();
    private final Spans taken = new Spans(); // by the live ancestry
    private final Spans owed = new Spans();
    private final Spans quarantined = new Spans();
    private final Spans passedOver = new Spans();
    /** What of a version's slice had been refused before. */
    private final Map<String, List<Span>> secondTries = new HashMap<>();

    private final Map<TopicPartition, Long> frontier = new HashMap<>();
    private final List<String> flaws = new ArrayList<>();
    private String live = "";

    private List<String> ancestry = List.of();
    private final Map<TopicPartition, NavigableMap<Long, Read>> slices = new HashMap<>();

    private record Read(long to, int version) {}

    /** Where an offset belongs. */
    enum Kind {
        SLICE,
        QUARANTINED,
        RETRY,
        WAITING,
        PASSED_OVER,
        NOWHERE
    }

    /** @param version index into the ancestry, where it lies in a slice */
    record Place(Kind kind, int version) {}

    /**
     * The course of a model.
     *
     * @param exampleTopic does a topic hold examples? Slices name others too
     */
    static Course of(List<CheckpointEvent> events, Predicate<String> exampleTopic) {
        Course course = new Course(exampleTopic);
        events.forEach(course::add);
        course.finish();
        return course;
    }

    private Course(Predicate<String> exampleTopic) {
        this.exampleTopic = exampleTopic;
    }

    private void add(CheckpointEvent event) {
        String version = event.getVersion();
        newest.put(version, event);
        if (announced.putIfAbsent(version, event) == null) {
            read(event);
        }
        switch (event.getState()) {
            case PROMOTED -> goTo(version);
            case REFUSED -> putAside(secondTries.getOrDefault(version, List.of()));
            case ROLLED_BACK -> {
                if (live.equals(version)) {
                    goTo(event.getParent());
                }
            }
            default -> {}
        }
    }

    /** A version was made of a slice: nothing of it is settled yet, and what it left behind shows now. */
    private void read(CheckpointEvent event) {
        List<Span> spans = spans(event);
        if (spans.stream().anyMatch(span -> !span.empty() && span.to() > end(span.partition()))) {
            Spans left = new Spans();
            left.add(owed.all());
            left.remove(spans);
            passedOver.add(left.all());
            owed.remove(left.all());
        }
        List<Span> before = owed.common(spans);
        if (!before.isEmpty()) {
            secondTries.put(event.getVersion(), before);
        }
        spans.forEach(span -> frontier.merge(span.partition(), span.to(), Math::max));
        Spans open = new Spans();
        open.add(spans);
        open.remove(taken.all()); // a version made again has the slice of one that is live
        owed.add(open.all());
        if (!event.getParent().isEmpty() && !announced.containsKey(event.getParent())) {
            flaws.add("Version " + event.getVersion() + " names " + event.getParent()
                    + " as its parent, which was never announced.");
        }
    }

    private void goTo(String version) {
        Set<String> before = new HashSet<>(descent(live));
        List<String> now = descent(version);
        for (String old : before) {
            if (!now.contains(old)) {
                owed.add(spans(announced.get(old)));
                putAside(secondTries.getOrDefault(old, List.of()));
            }
        }
        for (String next : now) {
            if (!before.contains(next)) {
                owed.remove(spans(announced.get(next)));
                quarantined.remove(spans(announced.get(next)));
            }
        }
        taken.remove(taken.all());
        now.forEach(next -> taken.add(spans(announced.get(next))));
        live = version;
    }

    /** What did not stay the second time is passed over for good. */
    private void putAside(List<Span> spans) {
        quarantined.add(spans);
        owed.remove(spans);
    }

    /** A version and its ancestors, newest first. */
    List<String> descent(String version) {
        List<String> descent = new ArrayList<>();
        Set<String> met = new HashSet<>();
        for (String at = version; announced.containsKey(at) && met.add(at); ) {
            descent.add(at);
            at = announced.get(at).getParent();
        }
        return descent;
    }

    private void finish() {
        List<String> oldestFirst = descent(live);
        Collections.reverse(oldestFirst);
        ancestry = List.copyOf(oldestFirst);
        Spans before = new Spans();
        for (int i = 0; i < ancestry.size(); i++) {
            List<Span> spans = spans(announced.get(ancestry.get(i)));
            for (Span span : spans) {
                Span twice = before.overlap(span);
                if (twice != null) {
                    flaws.add(ancestry.get(i) + " has read " + span + ", of which an ancestor had read " + twice
                            + ": each offset belongs to one slice at most.");
                }
                if (!span.empty()) {
                    slices.computeIfAbsent(span.partition(), none -> new TreeMap<>())
                            .putIfAbsent(span.from(), new Read(span.to(), i));
                }
            }
            before.add(spans);
        }
    }

    private List<Span> spans(CheckpointEvent event) {
        return Span.of(event.getLineage().getSlicesList()).stream()
                .filter(span -> exampleTopic.test(span.partition().topic()))
                .toList();
    }

    private long end(TopicPartition partition) {
        return frontier.getOrDefault(partition, 0L);
    }

    Place place(TopicPartition partition, long offset) {
        NavigableMap<Long, Read> of = slices.get(partition);
        Map.Entry<Long, Read> slice = of == null ? null : of.floorEntry(offset);
        if (slice != null && offset < slice.getValue().to()) {
            return new Place(Kind.SLICE, slice.getValue().version());
        }
        if (quarantined.contains(partition, offset)) {
            return new Place(Kind.QUARANTINED, -1);
        }
        if (owed.contains(partition, offset)) {
            return new Place(Kind.RETRY, -1);
        }
        if (passedOver.contains(partition, offset)) {
            return new Place(Kind.PASSED_OVER, -1);
        }
        return new Place(offset >= end(partition) ? Kind.WAITING : Kind.NOWHERE, -1);
    }

    /** The live version and its ancestors, oldest first. */
    List<String> ancestry() {
        return ancestry;
    }

    String live() {
        return live;
    }

    /** Every version that was ever announced, with its first event. */
    Map<String, CheckpointEvent> announced() {
        return Collections.unmodifiableMap(announced);
    }

    /** The last that was said of a version. */
    Optional<CheckpointEvent> newest(String version) {
        return Optional.ofNullable(newest.get(version));
    }

    /** Versions beside the live ancestry that have read an offset, with what became of them. */
    List<String> othersThatRead(TopicPartition partition, long offset) {
        List<String> others = new ArrayList<>();
        announced.forEach((version, event) -> {
            if (!ancestry.contains(version)
                    && spans(event).stream()
                            .anyMatch(span -> span.partition().equals(partition)
                                    && span.from() <= offset
                                    && offset < span.to())) {
                VersionState state = newest.get(version).getState();
                others.add(version + " (" + state + ")");
            }
        });
        return others;
    }

    /** What of a refused version's slice had been refused before, and is passed over from then on. */
    List<Span> refusedTwiceWith(String version) {
        return secondTries.getOrDefault(version, List.of());
    }

    /** What in the events alone does not hold. */
    List<String> flaws() {
        return List.copyOf(flaws);
    }
}
