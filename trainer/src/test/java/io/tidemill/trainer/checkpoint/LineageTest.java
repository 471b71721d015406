package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class LineageTest {
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);

    private final List<CheckpointEvent> events = new ArrayList<>(List.of(event(0, -1, VersionState.PROMOTED, 0, 0)));

    private static CheckpointEvent event(long round, long parent, VersionState state, long from, long to) {
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion(new VersionId("m", round).toString())
                .setParent(parent < 0 ? "" : new VersionId("m", parent).toString())
                .setState(state);
        event.getLineageBuilder()
                .addSlices(SliceRange.newBuilder()
                        .setTopic("t")
                        .setFromOffset(from)
                        .setToOffset(to));
        return event.build();
    }

    private Lineage after(CheckpointEvent... more) {
        events.addAll(List.of(more));
        return Lineage.of(events);
    }

    private static Slice slice(long from, long to) {
        return new Slice(List.of(new OffsetRange(PARTITION, from, to)));
    }

    @Test
    void theNextSliceStartsWhereTheChampionsEnded() {
        Lineage lineage = after(event(1, 0, VersionState.PROMOTED, 0, 10));
        assertThat(lineage.sliceStart()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.newFrom()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.nextRound()).isEqualTo(2);
    }

    @Test
    void aRefusedSliceIsTriedOnceMoreTogetherWithWhatIsNew() {
        Lineage lineage = after(event(1, 0, VersionState.PROMOTED, 0, 10), event(2, 1, VersionState.REFUSED, 10, 20));
        assertThat(lineage.live()).contains(new VersionId("m", 1));
        assertThat(lineage.sliceStart()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.newFrom()).isEqualTo(Map.of(PARTITION, 20L));
        assertThat(lineage.onTrialAgain(slice(10, 30)).ranges()).containsExactly(new OffsetRange(PARTITION, 10, 20));
        assertThat(lineage.nextRound()).isEqualTo(3);
    }

    @Test
    void whatIsRefusedTwiceIsPassedOver() {
        Lineage lineage = after(
                event(1, 0, VersionState.PROMOTED, 0, 10),
                event(2, 1, VersionState.REFUSED, 10, 20),
                event(3, 1, VersionState.REFUSED, 10, 30));
        assertThat(lineage.sliceStart()).isEqualTo(Map.of(PARTITION, 20L));
        assertThat(lineage.newFrom()).isEqualTo(Map.of(PARTITION, 30L));
        assertThat(lineage.onTrialAgain(slice(20, 40)).ranges()).containsExactly(new OffsetRange(PARTITION, 20, 30));
    }

    @Test
    void aPromotionAfterRefusalsGoesOnFromItsOwnEnd() {
        Lineage lineage = after(event(1, 0, VersionState.REFUSED, 0, 10), event(2, 0, VersionState.PROMOTED, 0, 15));
        assertThat(lineage.sliceStart()).isEqualTo(Map.of(PARTITION, 15L));
        assertThat(lineage.onTrialAgain(slice(15, 20)).empty()).isTrue();
    }

    @Test
    void aRollbackCountsAsARefusalOfWhatTheVersionHadLearned() {
        Lineage lineage = after(
                event(1, 0, VersionState.PROMOTED, 0, 10),
                event(2, 1, VersionState.PROMOTED, 10, 20),
                event(2, 1, VersionState.ROLLED_BACK, 10, 20));
        assertThat(lineage.live()).contains(new VersionId("m", 1));
        assertThat(lineage.ancestry()).containsExactly(new VersionId("m", 1), new VersionId("m", 0));
        assertThat(lineage.sliceStart()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.newFrom()).isEqualTo(Map.of(PARTITION, 20L));
    }

    @Test
    void anOldVersionPromotedByHandLeavesTheRestToTheNextRound() {
        Lineage lineage = after(
                event(1, 0, VersionState.PROMOTED, 0, 10),
                event(2, 1, VersionState.PROMOTED, 10, 20),
                event(1, 0, VersionState.PROMOTED, 0, 10));
        assertThat(lineage.live()).contains(new VersionId("m", 1));
        assertThat(lineage.sliceStart()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.newFrom()).isEqualTo(Map.of(PARTITION, 20L));
        assertThat(lineage.nextRound()).isEqualTo(3);
    }

    @Test
    void anEventThatIsRepeatedChangesNothing() {
        Lineage once = after(event(1, 0, VersionState.PROMOTED, 0, 10), event(2, 1, VersionState.REFUSED, 10, 20));
        Lineage again = after(event(1, 0, VersionState.PROMOTED, 0, 10));
        assertThat(again.live()).isEqualTo(once.live());
        assertThat(again.newFrom()).isEqualTo(once.newFrom());
    }
}
