package io.tidemill.trainer.slice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.trainer.data.Stages;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class SliceTest {
    private static final TopicPartition A0 = new TopicPartition("a", 0);
    private static final TopicPartition A1 = new TopicPartition("a", 1);
    private static final TopicPartition B0 = new TopicPartition("b", 0);

    private static Waiting waiting(TopicPartition partition, long offset, long timestamp, String stage, long tokens) {
        return new Waiting(partition, offset, timestamp, stage, tokens);
    }

    @Test
    void rangesAreSortedAndUnique() {
        Slice slice =
                new Slice(List.of(new OffsetRange(B0, 0, 5), new OffsetRange(A1, 2, 2), new OffsetRange(A0, 1, 3)));
        assertThat(slice.ranges())
                .extracting(OffsetRange::toString)
                .containsExactly("a-0:1..3", "a-1:2..2", "b-0:0..5");
        assertThatThrownBy(() -> new Slice(List.of(new OffsetRange(A0, 0, 1), new OffsetRange(A0, 1, 2))))
                .hasMessageContaining("a-0:0..1")
                .hasMessageContaining("a-0:1..2");
    }

    @Test
    void anEndBeforeTheBeginningIsRefused() {
        assertThatThrownBy(() -> new OffsetRange("a", 0, 5, 4)).hasMessageContaining("5 and 4");
    }

    @Test
    void halvesCutEachPartitionInItsMiddleAndLeaveNothingOut() {
        Slice slice =
                new Slice(List.of(new OffsetRange(A0, 2, 11), new OffsetRange(A1, 4, 5), new OffsetRange(B0, 3, 3)));
        assertThat(slice.halves())
                .containsExactly(
                        new Slice(List.of(new OffsetRange(A0, 2, 6))),
                        new Slice(List.of(new OffsetRange(A0, 6, 11), new OffsetRange(A1, 4, 5))));
        assertThat(Slice.EMPTY.halves()).isEmpty();
    }

    @Test
    void whatIsLeftAfterAnotherSliceBeginsAtItsEnd() {
        Slice slice = new Slice(List.of(new OffsetRange(A0, 2, 10), new OffsetRange(A1, 4, 8)));
        Slice done = new Slice(List.of(new OffsetRange(A0, 3, 6), new OffsetRange(B0, 0, 9)));
        assertThat(slice.after(done).ranges()).containsExactly(new OffsetRange(A0, 6, 10), new OffsetRange(A1, 4, 8));
        assertThat(slice.after(slice).empty()).isTrue();
        assertThat(slice.after(new Slice(List.of(new OffsetRange(A0, 10, 12))))).isEqualTo(slice);
        assertThat(slice.and(done).ranges()).containsExactly(new OffsetRange(A0, 3, 6));
        assertThat(slice.has(A1, 7)).isTrue();
        assertThat(slice.has(A1, 8)).isFalse();
    }

    @Test
    void aSliceWithinItsLimitsEndsWhereWasRead() {
        List<Waiting> all = List.of(waiting(A0, 3, 100, Stages.PRETRAIN, 10));
        Map<TopicPartition, Long> read = Map.of(A0, 7L, B0, 2L); // offsets 4 to 6 are transaction markers
        assertThat(new SliceLimits(5, 1000).ends(all, read)).isEqualTo(read);
    }

    @Test
    void theOldestGoFirstAndTheOtherTopicIsNotCut() {
        List<Waiting> all = List.of(
                waiting(A0, 0, 100, Stages.PRETRAIN, 1),
                waiting(A0, 1, 300, Stages.PRETRAIN, 1),
                waiting(A1, 0, 200, Stages.PRETRAIN, 1),
                waiting(A1, 1, 400, Stages.PRETRAIN, 1),
                waiting(B0, 0, 500, Stages.PREFERENCE, 0));
        Map<TopicPartition, Long> read = Map.of(A0, 2L, A1, 2L, B0, 1L);
        // two examples: those of times 100 and 200
        assertThat(new SliceLimits(2, 1000).ends(all, read)).isEqualTo(Map.of(A0, 1L, A1, 1L, B0, 1L));
    }

    @Test
    void heldOutRecordsFillNoStage() {
        List<Waiting> all = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            all.add(waiting(B0, i, i, i == 9 ? Stages.PREFERENCE : Stages.HELD_OUT, 0));
        }
        assertThat(new SliceLimits(1, 1).ends(all, Map.of(B0, 10L))).isEqualTo(Map.of(B0, 10L));
    }

    @Test
    void oneExampleLargerThanTheLimitIsTakenAlone() {
        List<Waiting> all = List.of(waiting(A0, 0, 1, Stages.PRETRAIN, 5000), waiting(A0, 1, 2, Stages.PRETRAIN, 1));
        assertThat(new SliceLimits(10, 1000).ends(all, Map.of(A0, 2L))).isEqualTo(Map.of(A0, 1L));
    }
}
