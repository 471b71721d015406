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
    void whatIsNewBeginsWhereTheChampionsSliceEnded() {
        Lineage lineage = after(event(1, 0, VersionState.PROMOTED, 0, 10));
        assertThat(lineage.frontier()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.retries()).isEmpty();
        assertThat(lineage.waitingFrom()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.nextRound()).isEqualTo(2);
    }

    @Test
    void aRefusedRangeIsTriedOnceMoreInTwoHalvesBeforeWhatIsNew() {
        Lineage lineage = after(event(1, 0, VersionState.PROMOTED, 0, 10), event(2, 1, VersionState.REFUSED, 10, 21));
        assertThat(lineage.live()).contains(new VersionId("m", 1));
        assertThat(lineage.retries()).containsExactly(slice(10, 15), slice(15, 21));
        assertThat(lineage.frontier()).isEqualTo(Map.of(PARTITION, 21L));
        assertThat(lineage.waitingFrom()).isEqualTo(Map.of(PARTITION, 10L));
        assertThat(lineage.nextRound()).isEqualTo(3);
    }

    @Test
    void aHalfThatIsPromotedLeavesTheOther() {
        Lineage lineage = after(
                event(1, 0, VersionState.PROMOTED, 0, 10),
                event(2, 1, VersionState.REFUSED, 10, 20),
                event(3, 1, VersionState.PROMOTED, 10, 15));
        assertThat(lineage.retries()).containsExactly(slice(15, 20));
        assertThat(lineage.frontier()).isEqualTo(Map.of(PARTITION, 20L));
    }

    @Test
    void aHalfThatIsRefusedAgainIsPassedOver() {
        CheckpointEvent again = event(3, 1, VersionState.REFUSED, 10, 15);
        Lineage lineage = after(event(1, 0, VersionState.PROMOTED, 0, 10), event(2, 1, VersionState.REFUSED, 10, 20));
        assertThat(lineage.passedOver(event(2, 1, VersionState.REFUSED, 20, 30)))
                .isEmpty();
        assertThat(lineage.passedOver(again)).containsExactly(slice(10, 15));
        lineage.add(again);
        assertThat(lineage.retries()).containsExactly(slice(15, 20));
        assertThat(lineage.waits(PARTITION, 14)).isFalse();
        assertThat(lineage.waits(PARTITION, 15)).isTrue();
        assertThat(lineage.waits(PARTITION, 20)).isTrue();
    }

    @Test
    void oneRecordHasNoHalves() {
        Lineage lineage = after(event(1, 0, VersionState.REFUSED, 0, 1));
        assertThat(lineage.retries()).containsExactly(slice(0, 1));
    }

    @Test
    void aRetryWhoseBeginningTheLogHasLostIsDone() {
        Lineage lineage = after(event(1, 0, VersionState.REFUSED, 0, 10), event(2, 0, VersionState.PROMOTED, 3, 5));
        assertThat(lineage.retries()).containsExactly(slice(5, 10));
    }

    /** Lineages of older programs: the refused range was read again together with what was new. */
    @Test
    void aSliceThatCoversARetryAndMoreDoesBoth() {
        CheckpointEvent more = event(3, 1, VersionState.REFUSED, 10, 30);
        Lineage lineage = after(event(1, 0, VersionState.PROMOTED, 0, 10), event(2, 1, VersionState.REFUSED, 10, 20));
        assertThat(lineage.passedOver(more)).containsExactly(slice(10, 15), slice(15, 20));
        lineage.add(more);
        assertThat(lineage.retries()).containsExactly(slice(20, 25), slice(25, 30));
        lineage.add(event(4, 1, VersionState.PROMOTED, 20, 40));
        assertThat(lineage.retries()).isEmpty();
        assertThat(lineage.frontier()).isEqualTo(Map.of(PARTITION, 40L));
    }

    @Test
    void aRollbackCountsAsARefusalOfWhatTheVersionHadLearned() {
        Lineage lineage = after(
                event(1, 0, VersionState.PROMOTED, 0, 10),
                event(2, 1, VersionState.PROMOTED, 10, 20),
                event(3, 2, VersionState.REFUSED, 20, 30),
                event(2, 1, VersionState.ROLLED_BACK, 10, 20));
        assertThat(lineage.live()).contains(new VersionId("m", 1));
        assertThat(lineage.ancestry()).containsExactly(new VersionId("m", 1), new VersionId("m", 0));
        assertThat(lineage.retries()).containsExactly(slice(10, 15), slice(15, 20), slice(20, 25), slice(25, 30));
        assertThat(lineage.frontier()).isEqualTo(Map.of(PARTITION, 30L));
    }

    @Test
    void aSecondTryThatIsRolledBackIsPassedOver() {
        CheckpointEvent rollback = event(3, 1, VersionState.ROLLED_BACK, 10, 15);
        Lineage lineage = after(
                event(1, 0, VersionState.PROMOTED, 0, 10),
                event(2, 1, VersionState.REFUSED, 10, 20),
                event(3, 1, VersionState.PROMOTED, 10, 15));
        assertThat(lineage.passedOver(rollback)).containsExactly(slice(10, 15));
        lineage.add(rollback);
        assertThat(lineage.retries()).containsExactly(slice(15, 20));
    }

    @Test
    void anOldVersionPromotedByHandPutsBackWhatTheOthersHadLearned() {
        CheckpointEvent byHand = event(1, 0, VersionState.PROMOTED, 0, 10);
        Lineage lineage = after(
                event(1, 0, VersionState.PROMOTED, 0, 10),
                event(2, 1, VersionState.PROMOTED, 10, 20),
                event(3, 2, VersionState.PROMOTED, 20, 30));
        assertThat(lineage.passedOver(byHand)).isEmpty();
        lineage.add(byHand);
        assertThat(lineage.live()).contains(new VersionId("m", 1));
        assertThat(lineage.retries()).containsExactly(slice(10, 15), slice(15, 20), slice(20, 25), slice(25, 30));
        assertThat(lineage.nextRound()).isEqualTo(4);

        lineage.add(event(3, 2, VersionState.PROMOTED, 20, 30)); // and forth again
        assertThat(lineage.retries()).isEmpty();
        assertThat(lineage.frontier()).isEqualTo(Map.of(PARTITION, 30L));
    }

    @Test
    void aPromotionLearnsOnlyItsOwnSliceWhateverElseWasRefused() {
        Lineage lineage = after(event(1, 0, VersionState.REFUSED, 0, 10), event(2, 0, VersionState.PROMOTED, 10, 15));
        assertThat(lineage.retries()).containsExactly(slice(0, 5), slice(5, 10));
        assertThat(lineage.passedOver(event(2, 0, VersionState.ROLLED_BACK, 10, 15)))
                .isEmpty();
    }

    @Test
    void anEventThatIsRepeatedChangesNothing() {
        Lineage lineage = after(event(1, 0, VersionState.PROMOTED, 0, 10), event(2, 1, VersionState.REFUSED, 10, 20));
        List<Slice> retries = lineage.retries();
        lineage.add(event(2, 1, VersionState.REFUSED, 10, 20));
        lineage.add(event(1, 0, VersionState.PROMOTED, 0, 10));
        assertThat(lineage.live()).contains(new VersionId("m", 1));
        assertThat(lineage.retries()).isEqualTo(retries);
    }
}
