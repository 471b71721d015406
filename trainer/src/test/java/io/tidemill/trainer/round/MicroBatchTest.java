package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.trainer.round.MicroBatch.Part;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MicroBatchTest {
    private static final MicroBatch START = new MicroBatch(5, 8, 512, 256, false);

    @Test
    void onlyThePartThatHadNoMemoryIsHalvedDownToOne() {
        assertThat(START.smaller(Part.SEQUENCES, 64)).contains(new MicroBatch(2, 8, 512, 256, false));
        assertThat(new MicroBatch(2, 8, 512, 256, false).smaller(Part.SEQUENCES, 64))
                .contains(new MicroBatch(1, 8, 512, 256, false));
        assertThat(START.smaller(Part.PAIRS, 64)).contains(new MicroBatch(5, 4, 512, 256, false));
        assertThat(START.smaller(Part.REFERENCE, 64)).contains(new MicroBatch(5, 8, 256, 256, false));
        assertThat(START.smaller(Part.GATE, 64)).contains(new MicroBatch(5, 8, 512, 128, false));
    }

    @Test
    void pairsThatTheEngineWouldNotPutTogetherAnywayCountForNothing() {
        // 2,048 tokens hold 4 pairs of 500: 2 are half of that
        assertThat(START.smaller(Part.PAIRS, 500)).contains(new MicroBatch(5, 2, 512, 256, false));
        assertThat(START.smaller(Part.PAIRS, 3000)).contains(new MicroBatch(5, 1, 512, 256, false));
    }

    @Test
    void atTheSmallestActivationsAreRecomputedAndThenThereIsNothingLeft() {
        MicroBatch smallest = new MicroBatch(1, 1, 512, 256, false);
        MicroBatch recomputing = new MicroBatch(1, 1, 512, 256, true);
        for (Part part : new Part[] {Part.SEQUENCES, Part.PAIRS}) {
            assertThat(smallest.smaller(part, 64)).contains(recomputing);
            assertThat(recomputing.smaller(part, 64)).isEmpty();
        }
    }

    @Test
    void aTextIsScoredAloneAtTheLeast() {
        assertThat(new MicroBatch(1, 1, 64, 63, false).smaller(Part.REFERENCE, 64))
                .isEqualTo(Optional.empty());
        assertThat(new MicroBatch(1, 1, 64, 63, false).smaller(Part.GATE, 64)).isEqualTo(Optional.empty());
    }
}
