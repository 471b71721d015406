package io.tidemill.trainer.data;

import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.slice.Waiting;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What a slice holds, sorted out: each stage's examples in training order, what the gate alone may see, and a count of
 * everything that was read.
 *
 * @param documents          for pretraining, or masked language modelling by an encoder
 * @param heldOutSequences   new in this slice
 * @param heldOutPreferences new in this slice
 * @param ledger             every example that counts from now on as seen, with its stage
 * @param counts             records by {@link Stages}; their sum is the number of records read
 * @param sources            trained examples by source, for the model card
 * @param firstFeedback      when the broker appended the oldest preference
 */
public record RoundExamples(
        List<TrainingSequence> documents,
        List<TrainingSequence> sft,
        List<LabelledSequence> labelled,
        List<PairExample> pairs,
        List<RatedExample> ratings,
        List<PromptExample> prompts,
        List<TokenSequence> heldOutSequences,
        List<Preference> heldOutPreferences,
        List<LedgerEntry> ledger,
        Map<String, Long> counts,
        Map<String, Long> sources,
        Optional<Instant> firstFeedback) {

    /** Of a slice of which nothing is known. */
    public static final RoundExamples NONE = new RoundExamples(
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            Map.of(),
            Map.of(),
            Optional.empty());

    /** One example of the lineage and what became of it. */
    public record LedgerEntry(String exampleId, String stage) {}

    /** Examples that some stage would train on. */
    public long trainable() {
        return (long) documents.size() + sft.size() + labelled.size() + pairs.size() + ratings.size() + prompts.size();
    }

    /** Ids of those, with the stage that trains on each. */
    public List<LedgerEntry> trained() {
        List<LedgerEntry> trained = new ArrayList<>();
        ledger.stream().filter(entry -> Waiting.isTrained(entry.stage())).forEach(trained::add);
        return trained;
    }

    /**
     * The same with examples of earlier slices among its own. Ledger and counts stay this slice's: what is learned once more is
     * not new.
     *
     * @param chosen of those the ids that take part
     */
    public RoundExamples withAgain(RoundExamples again, Set<String> chosen, ExampleOrder order) {
        return new RoundExamples(
                merged(documents, again.documents, chosen, TrainingSequence::exampleId, order),
                merged(sft, again.sft, chosen, TrainingSequence::exampleId, order),
                merged(labelled, again.labelled, chosen, LabelledSequence::exampleId, order),
                merged(pairs, again.pairs, chosen, PairExample::exampleId, order),
                merged(ratings, again.ratings, chosen, RatedExample::exampleId, order),
                merged(prompts, again.prompts, chosen, PromptExample::exampleId, order),
                heldOutSequences,
                heldOutPreferences,
                ledger,
                counts,
                sources,
                firstFeedback);
    }

    private static <T> List<T> merged(
            List<T> fresh, List<T> again, Set<String> chosen, Function<T, String> id, ExampleOrder order) {
        return order.sort(
                Stream.concat(fresh.stream(), again.stream().filter(one -> chosen.contains(id.apply(one))))
                        .toList(),
                id);
    }

    /**
     * The same after some labelled texts, pairs, ratings or prompts were put aside.
     *
     * @param asides what became of them instead, by example id
     */
    public RoundExamples without(Map<String, String> asides) {
        if (asides.isEmpty()) {
            return this;
        }
        Map<String, Long> recounted = new TreeMap<>(counts);
        for (LedgerEntry entry : ledger) {
            String instead = asides.get(entry.exampleId());
            if (instead != null) {
                recounted.merge(entry.stage(), -1L, Long::sum);
                recounted.merge(instead, 1L, Long::sum);
            }
        }
        return new RoundExamples(
                documents,
                sft,
                labelled.stream()
                        .filter(text -> !asides.containsKey(text.exampleId()))
                        .toList(),
                pairs.stream()
                        .filter(pair -> !asides.containsKey(pair.exampleId()))
                        .toList(),
                ratings.stream()
                        .filter(rated -> !asides.containsKey(rated.exampleId()))
                        .toList(),
                prompts.stream()
                        .filter(prompt -> !asides.containsKey(prompt.exampleId()))
                        .toList(),
                heldOutSequences,
                heldOutPreferences,
                ledger.stream()
                        .map(entry -> new LedgerEntry(
                                entry.exampleId(), asides.getOrDefault(entry.exampleId(), entry.stage())))
                        .toList(),
                recounted,
                sources,
                firstFeedback);
    }
}
