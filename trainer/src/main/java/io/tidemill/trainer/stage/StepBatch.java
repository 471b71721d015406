package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.Learner;
import io.tidemill.trainer.data.PackedExamples;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The examples of one optimizer step.
 *
 * @param <L> what learns from them
 */
public interface StepBatch<L extends Learner> {
    /** Adds the step's gradients, in as many calls as that size asks for. */
    Outcome accumulate(L learner, CallSize size);

    /** Tokens that have a part in the loss. */
    long tokens();

    /** Tokens of the longest row, or of both texts of the longest pair. */
    int longest();

    /** Distinct ids, to name what a bad step was made of. */
    List<String> exampleIds();

    /** The step in pieces that can be accumulated alone, to find a bad one; none where it cannot be taken apart. */
    default List<StepBatch<L>> parts() {
        return List.of();
    }

    /**
     * What accumulating gave.
     *
     * @param loss    mean of the step, in the unit of the stage's loss; nats
     * @param figures more of the stage's own
     */
    record Outcome(double loss, Map<String, Double> figures) {}

    /** Causal language modelling; nats per token. */
    record Sequences(List<PackedExamples> microBatches, long tokens) implements StepBatch<DecoderLearner> {
        static Sequences of(List<PackedExamples> microBatches) {
            long tokens = microBatches.stream()
                    .mapToLong(packed -> packed.batch().lossTokens())
                    .sum();
            boolean alike =
                    microBatches.stream().allMatch(packed -> packed.batch().weights().length == 0);
            return new Sequences(alike ? List.copyOf(microBatches) : weighed(microBatches, tokens), tokens);
        }

        /** With weights whose mean over the step is 1: what an example counts is its share, as it is of pairs. */
        private static List<PackedExamples> weighed(List<PackedExamples> microBatches, long tokens) {
            double weight = microBatches.stream()
                    .mapToDouble(packed -> packed.batch().lossWeight())
                    .sum();
            return microBatches.stream()
                    .map(packed -> new PackedExamples(packed.batch().weighing(tokens / weight), packed.exampleIds()))
                    .toList();
        }

        @Override
        public Outcome accumulate(DecoderLearner learner, CallSize size) {
            // Divide by the tokens of the whole step, so that a short micro-batch does not count for more.
            double loss = microBatches.stream()
                    .flatMap(packed -> packed.batch().inRowsOf(size.rows()).stream())
                    .filter(batch -> batch.lossTokens() > 0)
                    .mapToDouble(batch -> learner.accumulate(batch, tokens))
                    .sum();
            OptionalDouble divergence = learner.divergence();
            return new Outcome(loss, divergence.isPresent() ? Map.of("kl", divergence.getAsDouble()) : Map.of());
        }

        @Override
        public int longest() {
            return microBatches.stream()
                    .mapToInt(packed -> packed.batch().length())
                    .max()
                    .orElse(0);
        }

        @Override
        public List<StepBatch<DecoderLearner>> parts() {
            return microBatches.stream()
                    .<StepBatch<DecoderLearner>>map(packed -> new Sequences(List.of(packed), tokens))
                    .toList();
        }

        @Override
        public List<String> exampleIds() {
            LinkedHashSet<String> ids = new LinkedHashSet<>();
            microBatches.forEach(packed -> ids.addAll(packed.exampleIds()));
            return List.copyOf(ids);
        }
    }

    /** Cuts a list into lists of {@code size}; the last may be shorter. */
    static <T> List<List<T>> groups(List<T> elements, int size) {
        List<List<T>> groups = new ArrayList<>();
        for (int from = 0; from < elements.size(); from += size) {
            groups.add(List.copyOf(elements.subList(from, Math.min(elements.size(), from + size))));
        }
        return groups;
    }
}
