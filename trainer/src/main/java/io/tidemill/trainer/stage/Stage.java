package io.tidemill.trainer.stage;

import io.tidemill.model.engine.PackedBatch;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.data.PackedExamples;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import java.util.ArrayList;
import java.util.List;

/**
 * One stage of a round, ready to run: its steps in order.
 *
 * @param examples how many take part
 */
public record Stage(String name, OptimizerSettings optimizer, List<StepBatch> steps, long examples) {
    public Stage {
        steps = List.copyOf(steps);
    }

    /** Packs sequences; none is lost: their targets are counted before and after. */
    public static Stage ofSequences(
            String name,
            List<TrainingSequence> sequences,
            SequenceSettings settings,
            Packer.Policy policy,
            int maxPositions,
            long seed) {
        int length = Math.min(settings.length(), maxPositions);
        List<StepBatch> steps = new ArrayList<>();
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            List<TrainingSequence> ordered =
                    new ExampleOrder(seed + epoch).sort(sequences, TrainingSequence::exampleId);
            List<PackedExamples> packed = new Packer(settings.rows(), length, policy).packWithOrigins(ordered);
            checkTargets(name, ordered, packed);
            StepBatch.groups(packed, settings.microBatches())
                    .forEach(group -> steps.add(StepBatch.Sequences.of(group)));
        }
        return new Stage(name, settings.optimizer(), steps, sequences.size());
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

    /** Tokens of the longest row, or of both answers of the longest pair with their prompts: what a call has at least. */
    public int longest() {
        return steps.stream().mapToInt(StepBatch::longest).max().orElse(0);
    }

    /** Tokens that have a part in the loss, over all steps. */
    public long tokens() {
        return steps.stream().mapToLong(StepBatch::tokens).sum();
    }
}
