package io.tidemill.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExampleOrderTest {
    private final List<String> ids =
            IntStream.range(0, 100).mapToObj(i -> "example-" + i).toList();

    @Test
    void theOrderDoesNotDependOnTheOrderOfReading() {
        List<String> shuffled = new ArrayList<>(ids);
        Collections.shuffle(shuffled, new Random(1));
        ExampleOrder order = new ExampleOrder(42);
        assertThat(order.sort(shuffled, Function.identity())).isEqualTo(order.sort(ids, Function.identity()));
    }

    @Test
    void anotherSeedIsAnotherOrder() {
        assertThat(new ExampleOrder(1).sort(ids, Function.identity()))
                .isNotEqualTo(new ExampleOrder(2).sort(ids, Function.identity()));
    }

    @Test
    void aMissingExampleMovesNoOther() {
        ExampleOrder order = new ExampleOrder(42);
        List<String> all = new ArrayList<>(order.sort(ids, Function.identity()));
        List<String> without =
                ids.stream().filter(id -> !id.equals("example-17")).toList();
        all.remove("example-17");
        assertThat(order.sort(without, Function.identity())).isEqualTo(all);
    }

    @Test
    void aSetOfIdsKnowsWhatItHoldsAndNothingElse() {
        ExampleSet set = new ExampleSet();
        for (int i = 0; i < 20_000; i++) {
            assertThat(set.add("id-" + i)).isTrue();
        }
        assertThat(set.add("id-7")).isFalse();
        assertThat(set.size()).isEqualTo(20_000);
        for (int i = 0; i < 20_000; i++) {
            assertThat(set.contains("id-" + i)).isTrue();
            assertThat(set.contains("other-" + i)).isFalse();
        }
    }
}
