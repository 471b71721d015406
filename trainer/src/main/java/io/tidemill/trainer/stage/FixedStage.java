package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.data.PackedExamples;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import java.util.ArrayList;
import java.util.List;

/**
 * A stage whose steps are known before it runs.
 *
 * @param batches  of each step, in order
 * @param examples how many take part
 */
public record FixedStage<L extends Learner>(
        String name, OptimizerSettings optimizer, List<StepBatch<L>> batches, long examples) implements Stage<L> {
    public FixedStage {
        batches = List.copyOf(batches);
    }

    /** Packs sequences; none is lost: their targets are counted before and after. */
    public static FixedStage<DecoderLearner> ofSequences(
            String name,
            List<TrainingSequence> sequences,
            SequenceSettings settings,
            Packer.Policy policy,
            int maxPositions,
            long seed) {
        int length = Math.min(settings.length(), maxPositions);
        List<StepBatch<DecoderLearner>> steps = new ArrayList<>();
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            List<TrainingSequence> ordered =
                    new ExampleOrder(seed + epoch).sort(sequences, TrainingSequence::exampleId);
            List<PackedExamples> packed = new Packer(settings.rows(), length, policy).packWithOrigins(ordered);
            checkTargets(name, ordered, packed);
            StepBatch.groups(packed, settings.microBatches())
                    .forEach(group -> steps.add(StepBatch.Sequences.of(group)));
        }
        return new FixedStage<>(name, settings.optimizer(), steps, sequences.size());
    }

    private static void checkTargets(String name, List<TrainingSequence> sequences, List<PackedExamples> packed) {
        long before = sequences.stream().mapToLong(TrainingSequence::targets).sum();
        long after = packed.stream()
                .map(PackedExamples::batch)
                .mapToLong(PackedBatch::lossTokens)
                .sum();
        if (before != after) {
            throw new IllegalStateException(
                    "Stage " + name + " has " + before + " tokens to learn, but its batches hold " + after);
        }
    }

    @Override
    public long steps() {
        return batches.size();
    }

    @Override
    public StepBatch<L> batch(long step, L learner) {
        return batches.get(Math.toIntExact(step - 1));
    }

    @Override
    public int longest() {
        return batches.stream().mapToInt(StepBatch::longest).max().orElse(0);
    }

    @Override
    public long tokens() {
        return batches.stream().mapToLong(StepBatch::tokens).sum();
    }
}
