package io.tidemill.trainer.encoder;

import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.stage.StepBatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * Batches of similar length within a shuffle: the examples are shuffled, cut into pools of 50 batches, each pool is sorted
 * by length and cut into batches, and the batches are shuffled again. As transformers' {@code LengthGroupedSampler}, which
 * leaves the batches of a pool in the order of their lengths.
 */
final class LengthBatches {
    private static final int POOL = 50; // batches

    private LengthBatches() {}

    static <T> List<List<T>> of(
            List<T> examples, int size, long seed, Function<T, String> id, ToIntFunction<T> length) {
        ExampleOrder order = new ExampleOrder(seed);
        List<List<T>> batches = new ArrayList<>();
        for (List<T> pool : StepBatch.groups(order.sort(examples, id), POOL * size)) {
            List<T> sorted =
                    pool.stream().sorted(Comparator.comparingInt(length)).toList();
            batches.addAll(StepBatch.groups(sorted, size));
        }
        return order.sort(batches, batch -> "batch of " + id.apply(batch.get(0)));
    }
}
