package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.objective.JudgedPair;
import io.tidemill.trainer.objective.PairObjective;
import java.util.ArrayList;
import java.util.List;

/**
 * Lays out learning from pairs, whatever the objective. Log-probabilities of the reference are given, so that they are
 * computed once.
 */
public final class PairStage {
    /** Log-probability of each answer given its prompt, under the reference; nats. */
    public record Reference(double chosen, double rejected) {
        /** For objectives that need none. */
        public static final Reference NONE = new Reference(0, 0);
    }

    private PairStage() {}

    /**
     * The steps over the pairs.
     *
     * @param references one a pair, in the same order
     * @param epochs     how often each pair is seen
     * @param pairsOfStep pairs of an optimizer step
     */
    public static FixedStage<DecoderLearner> of(
            String name,
            List<TokenizedPair> pairs,
            List<Reference> references,
            PairObjective objective,
            OptimizerSettings optimizer,
            int pairsOfStep,
            int epochs,
            long seed) {
        record Ready(TokenizedPair pair, JudgedPair judged) {}
        List<Ready> ready = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            TokenizedPair pair = pairs.get(i);
            Reference reference = references.get(i);
            ready.add(new Ready(
                    pair, new JudgedPair(pair.weight(), reference.chosen(), reference.rejected(), pair.margin())));
        }
        List<StepBatch<DecoderLearner>> steps = new ArrayList<>();
        for (int epoch = 0; epoch < epochs; epoch++) {
            List<Ready> ordered = new ExampleOrder(seed + epoch).sort(ready, one -> one.pair.exampleId());
            for (List<Ready> group : StepBatch.groups(ordered, pairsOfStep)) {
                steps.add(new PairBatch(
                        group.stream().map(one -> one.pair.exampleId()).toList(),
                        group.stream().map(one -> one.pair.promptAnswers()).toList(),
                        group.stream().map(Ready::judged).toList(),
                        objective));
            }
        }
        return new FixedStage<>(name, optimizer, steps, pairs.size());
    }
}
