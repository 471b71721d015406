package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * Where a model stands, as a fold over its events on the {@code checkpoints} topic. Nothing else holds a position.
 *
 * <p>What was never tried begins at the {@link #frontier}. A round that was refused leaves its range to be tried once more,
 * split in two, each half in a round of its own; a half that is refused again is passed over. A rollback counts as a
 * refusal of what the versions had learned that are live no longer.
 *
 * <p>May be asked while an event is added.
 */
public final class Lineage {
    private final List<CheckpointEvent> events = new ArrayList<>();
    private final Map<String, CheckpointEvent> byVersion = new LinkedHashMap<>();
    /** Ranges to be tried once more, each alone, in this order. */
    private final List<Slice> retries = new ArrayList<>();
    /** Versions whose slice had been refused before. */
    private final Set<String> secondTries = new HashSet<>();

    private Map<TopicPartition, Long> frontier = Map.of();
    private Optional<String> live = Optional.empty();

    public static Lineage of(List<CheckpointEvent> events) {
        Lineage lineage = new Lineage();
        events.forEach(lineage::add);
        return lineage;
    }

    /** Takes one more event into account. */
    public synchronized void add(CheckpointEvent event) {
        CheckpointEvent before = byVersion.get(event.getVersion());
        boolean news = before == null || before.getState() != event.getState();
        events.add(event);
        byVersion.put(event.getVersion(), event);
        Slice slice = slice(event);
        switch (event.getState()) {
            case PROMOTED -> {
                boolean decided = before != null
                        && before.getState() != VersionState.CANDIDATE
                        && before.getState() != VersionState.CANARY;
                if (!decided && !tried(slice).isEmpty()) {
                    secondTries.add(event.getVersion());
                }
                makeLive(Optional.of(event.getVersion()));
                done(slice);
            }
            case REFUSED -> {
                if (news) {
                    Slice fresh = slice.beyond(frontier);
                    done(slice);
                    retries.addAll(fresh.halves());
                }
            }
            case ROLLED_BACK -> {
                if (live.equals(Optional.of(event.getVersion()))) {
                    makeLive(Optional.of(event.getParent()));
                }
            }
            default -> {}
        }
    }

    private static Slice slice(CheckpointEvent event) {
        return Slice.of(event.getLineage().getSlicesList());
    }

    /** The parts of a slice that are waiting for their second try. */
    private List<Slice> tried(Slice slice) {
        return retries.stream()
                .map(slice::and)
                .filter(common -> !common.empty())
                .toList();
    }

    /** What was tried is not tried again, and what lies behind it is new. */
    private void done(Slice slice) {
        retries.replaceAll(retry -> retry.after(slice));
        retries.removeIf(Slice::empty);
        frontier = Slice.latest(frontier, slice.ends());
    }

    private void makeLive(Optional<String> version) {
        List<String> dropped = ancestry(live);
        List<String> kept = ancestry(version);
        live = version;
        List<Slice> again = new ArrayList<>();
        for (String name : oldestFirst(dropped)) {
            if (!kept.contains(name) && !secondTries.contains(name)) {
                again.addAll(slice(byVersion.get(name)).halves());
            }
        }
        retries.addAll(0, again);
        for (String name : kept) {
            if (!dropped.contains(name) && byVersion.containsKey(name)) {
                done(slice(byVersion.get(name)));
            }
        }
    }

    /**
     * What has been refused twice with this event, if it were added, and is then passed over.
     *
     * @return ranges; a partition may be in several
     */
    public synchronized List<Slice> passedOver(CheckpointEvent event) {
        return switch (event.getState()) {
            case REFUSED -> tried(slice(event));
            case PROMOTED -> {
                List<String> kept = ancestry(Optional.of(event.getParent()));
                kept.add(event.getVersion());
                yield passedOver(kept, slice(event));
            }
            case ROLLED_BACK ->
                live.equals(Optional.of(event.getVersion()))
                        ? passedOver(ancestry(Optional.of(event.getParent())), Slice.EMPTY)
                        : List.of();
            default -> List.of();
        };
    }

    /**
     * @param kept  versions that are live's ancestry from then on; those of them that stand for another have learned its slice
     * @param slice of the newest of them, which may not have been added
     */
    private List<Slice> passedOver(List<String> kept, Slice slice) {
        return oldestFirst(ancestry(live)).stream()
                .filter(version -> !kept.contains(version) && secondTries.contains(version))
                .map(version -> left(slice(byVersion.get(version)), kept, slice))
                .filter(left -> !left.empty())
                .toList();
    }

    private Slice left(Slice dropped, List<String> kept, Slice newest) {
        Slice left = dropped.after(newest);
        for (String version : kept) {
            if (!ancestry(live).contains(version) && byVersion.containsKey(version)) {
                left = left.after(slice(byVersion.get(version)));
            }
        }
        return left;
    }

    private static List<String> oldestFirst(List<String> newestFirst) {
        List<String> reversed = new ArrayList<>(newestFirst);
        Collections.reverse(reversed);
        return reversed;
    }

    public synchronized boolean empty() {
        return events.isEmpty();
    }

    /** All events, oldest first. */
    public synchronized List<CheckpointEvent> events() {
        return List.copyOf(events);
    }

    /** The newest event of a version. */
    public synchronized Optional<CheckpointEvent> event(String version) {
        return Optional.ofNullable(byVersion.get(version));
    }

    /**
     * The newest event of the version that passed its gate and about which nothing is decided yet: candidate or canary. What
     * a retraining made waits for nobody.
     */
    public synchronized Optional<CheckpointEvent> undecided() {
        return byVersion.values().stream()
                .filter(event -> event.getState() == VersionState.CANDIDATE || event.getState() == VersionState.CANARY)
                .filter(event -> !event.hasRetraining())
                .reduce((older, newer) -> newer);
    }

    /** The version that serves. */
    public synchronized Optional<VersionId> live() {
        return live.map(VersionId::parse);
    }

    /** The live version and its ancestors, newest first. */
    public synchronized List<VersionId> ancestry() {
        return ancestry(live).stream().map(VersionId::parse).toList();
    }

    /** A version and its ancestors, newest first. */
    public synchronized List<VersionId> ancestry(VersionId newest) {
        return ancestry(Optional.of(newest.toString())).stream()
                .map(VersionId::parse)
                .toList();
    }

    private List<String> ancestry(Optional<String> from) {
        List<String> ancestry = new ArrayList<>();
        for (String version = from.orElse(""); !version.isEmpty(); ) {
            ancestry.add(version);
            version = event(version).map(CheckpointEvent::getParent).orElse("");
        }
        return ancestry;
    }

    /** Number of the next round. */
    public synchronized long nextRound() {
        return byVersion.keySet().stream()
                        .mapToLong(version -> VersionId.parse(version).round())
                        .max()
                        .orElse(-1)
                + 1;
    }

    /** Ranges that were refused once and wait to be tried again, each in a round of its own, in this order. */
    public synchronized List<Slice> retries() {
        return List.copyOf(retries);
    }

    /** From where on records were never tried; a partition that is not there, from its beginning. */
    public synchronized Map<TopicPartition, Long> frontier() {
        return Map.copyOf(frontier);
    }

    /** The oldest offset of each partition that still waits, refused once or never tried. */
    public synchronized Map<TopicPartition, Long> waitingFrom() {
        Map<TopicPartition, Long> from = new HashMap<>(frontier);
        for (Slice retry : retries) {
            retry.ranges().forEach(range -> from.merge(range.topicPartition(), range.from(), Math::min));
        }
        return from;
    }

    /** Does a record still wait, refused once or never tried? */
    public synchronized boolean waits(TopicPartition partition, long offset) {
        return offset >= frontier.getOrDefault(partition, 0L)
                || retries.stream().anyMatch(retry -> retry.has(partition, offset));
    }

    /** Ranges from where a slice starts to where it ends, for every partition that was looked at. */
    public static Slice slice(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
        List<OffsetRange> ranges = new ArrayList<>();
        new HashMap<>(to)
                .forEach((partition, end) ->
                        ranges.add(new OffsetRange(partition, Math.min(end, from.getOrDefault(partition, 0L)), end)));
        return new Slice(ranges);
    }

    /** The newest event whose state is this. */
    public synchronized Optional<CheckpointEvent> newest(VersionState state) {
        for (int i = events.size() - 1; i >= 0; i--) {
            if (events.get(i).getState() == state) {
                return Optional.of(events.get(i));
            }
        }
        return Optional.empty();
    }
}
