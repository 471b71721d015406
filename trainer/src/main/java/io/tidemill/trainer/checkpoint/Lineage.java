package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * Where a model stands, as a fold over its events on the {@code checkpoints} topic. Nothing else holds a position.
 *
 * <p>The next slice starts where the champion's ended. A round that was refused leaves its range to the next one, which
 * trains on it once more together with what is new; what is refused a second time is passed over. A rollback counts as
 * a refusal of all that lies between the two champions.
 */
public final class Lineage {
    private final List<CheckpointEvent> events = new ArrayList<>();
    private final Map<String, CheckpointEvent> byVersion = new LinkedHashMap<>();
    /** Ends of the slices refused since the champion, oldest first. */
    private final List<Map<TopicPartition, Long>> refused = new ArrayList<>();

    private Optional<String> live = Optional.empty();

    public static Lineage of(List<CheckpointEvent> events) {
        Lineage lineage = new Lineage();
        events.forEach(lineage::add);
        return lineage;
    }

    /** Takes one more event into account. */
    public void add(CheckpointEvent event) {
        events.add(event);
        byVersion.put(event.getVersion(), event);
        Map<TopicPartition, Long> liveEnd = live.map(this::end).orElse(Map.of());
        switch (event.getState()) {
            case PROMOTED -> {
                boolean goesOn = live.isEmpty() || live.get().equals(event.getParent());
                if (!live.equals(Optional.of(event.getVersion()))) {
                    refused.clear();
                }
                if (!goesOn && !live.get().equals(event.getVersion())) {
                    refused.add(liveEnd);
                }
                live = Optional.of(event.getVersion());
            }
            case REFUSED -> {
                if (live.equals(Optional.of(event.getParent()))) {
                    refused.add(Slice.latest(
                            liveEnd,
                            Slice.of(event.getLineage().getSlicesList()).ends()));
                }
            }
            case ROLLED_BACK -> {
                if (live.equals(Optional.of(event.getVersion()))) {
                    refused.clear();
                    refused.add(liveEnd);
                    live = Optional.of(event.getParent());
                }
            }
            default -> {}
        }
    }

    /** Where the log is read up to by a version and its ancestors. */
    private Map<TopicPartition, Long> end(String version) {
        CheckpointEvent event = byVersion.get(version);
        if (event == null) {
            return Map.of();
        }
        Map<TopicPartition, Long> own =
                Slice.of(event.getLineage().getSlicesList()).ends();
        return event.getParent().isEmpty() ? own : Slice.latest(end(event.getParent()), own);
    }

    public boolean empty() {
        return events.isEmpty();
    }

    /** All events, oldest first. */
    public List<CheckpointEvent> events() {
        return List.copyOf(events);
    }

    /** The newest event of a version. */
    public Optional<CheckpointEvent> event(String version) {
        return Optional.ofNullable(byVersion.get(version));
    }

    /** The version that serves. */
    public Optional<VersionId> live() {
        return live.map(VersionId::parse);
    }

    /** The live version and its ancestors, newest first. */
    public List<VersionId> ancestry() {
        List<VersionId> ancestry = new ArrayList<>();
        for (String version = live.orElse(""); !version.isEmpty(); ) {
            ancestry.add(VersionId.parse(version));
            version = event(version).map(CheckpointEvent::getParent).orElse("");
        }
        return ancestry;
    }

    /** Number of the next round. */
    public long nextRound() {
        return byVersion.keySet().stream()
                        .mapToLong(version -> VersionId.parse(version).round())
                        .max()
                        .orElse(-1)
                + 1;
    }

    /** Where the next slice starts. */
    public Map<TopicPartition, Long> sliceStart() {
        return refused.size() < 2 ? live.map(this::end).orElse(Map.of()) : refused.get(refused.size() - 2);
    }

    /** From where on records count as new, so that a refused slice alone does not start another round. */
    public Map<TopicPartition, Long> newFrom() {
        return refused.isEmpty() ? live.map(this::end).orElse(Map.of()) : refused.get(refused.size() - 1);
    }

    /** The part of a slice that will have been refused twice, should this round be refused too. */
    public Slice onTrialAgain(Slice slice) {
        return refused.isEmpty() ? Slice.EMPTY : slice.before(refused.get(refused.size() - 1));
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
    public Optional<CheckpointEvent> newest(VersionState state) {
        for (int i = events.size() - 1; i >= 0; i--) {
            if (events.get(i).getState() == state) {
                return Optional.of(events.get(i));
            }
        }
        return Optional.empty();
    }
}
