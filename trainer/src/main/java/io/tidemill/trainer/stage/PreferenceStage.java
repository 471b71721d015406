package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PreferencePair;
import io.tidemill.trainer.data.ExampleOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Lays out direct preference optimisation: Rafailov et al. (2023), arXiv:2305.18290. The reference is the champion that
 * the round started from; its log-probabilities are given, so that they are computed once a round.
 */
public final class PreferenceStage {
    /**
     * Log-probability of each answer given its prompt, under the reference; nats.
     */
    public record Reference(double chosen, double rejected) {}

    private PreferenceStage() {}

    /**
     * The steps over the pairs.
     *
     * @param references one a pair, in the same order
     */
    public static FixedStage<DecoderLearner> of(
            String name,
            List<TokenizedPair> pairs,
            List<Reference> references,
            PreferenceSettings settings,
            long seed) {
        record Ready(String exampleId, PreferencePair pair) {}
        List<Ready> ready = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            TokenizedPair pair = pairs.get(i);
            Reference reference = references.get(i);
            ready.add(new Ready(
                    pair.exampleId(),
                    new PreferencePair(
                            pair.prompt(),
                            pair.chosen(),
                            pair.rejected(),
                            reference.chosen(),
                            reference.rejected(),
                            pair.weight())));
        }
        List<StepBatch<DecoderLearner>> steps = new ArrayList<>();
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            List<Ready> ordered = new ExampleOrder(seed + epoch).sort(ready, Ready::exampleId);
            for (List<Ready> group : StepBatch.groups(ordered, settings.pairs())) {
                steps.add(new StepBatch.Pairs(
                        group.stream().map(Ready::exampleId).toList(),
                        group.stream().map(Ready::pair).toList(),
                        settings.beta(),
                        settings.supervisedWeight()));
            }
        }
        return new FixedStage<>(name, settings.optimizer(), steps, pairs.size());
    }
}
