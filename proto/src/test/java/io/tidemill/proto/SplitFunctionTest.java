package io.tidemill.proto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.v1.Split;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SplitFunctionTest {
    /** Worked out with Python's hashlib; another list would move what a lineage has held out into its training. */
    private static final List<Integer> HELD_OUT = List.of(18, 27, 45, 112, 118, 128, 140, 157);

    @Test
    void theSplitNeverChanges() {
        SplitFunction split = new SplitFunction("tidemill", 0.05);
        List<Integer> heldOut = IntStream.range(0, 158)
                .filter(i -> split.of("group-" + i) == Split.HELD_OUT)
                .boxed()
                .toList();
        assertThat(heldOut).isEqualTo(HELD_OUT);
    }

    @Test
    void theShareIsTheShareOfGroupsThatAreHeldOut() {
        assertThat(heldOutOf10000(0)).isZero();
        assertThat(heldOutOf10000(0.25)).isBetween(2370L, 2630L); // 3 standard deviations of 43
        assertThat(heldOutOf10000(1)).isEqualTo(10_000);
        assertThatThrownBy(() -> new SplitFunction("s", 1.5)).hasMessageContaining("1.5");
        assertThatThrownBy(() -> new SplitFunction("s", Double.NaN)).hasMessageContaining("NaN");
    }

    private static long heldOutOf10000(double share) {
        SplitFunction split = new SplitFunction("salt", share);
        return IntStream.range(0, 10_000)
                .filter(i -> split.of("g" + i) == Split.HELD_OUT)
                .count();
    }
}
