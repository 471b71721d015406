package io.tidemill.trainer.data;

import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.TokenSequence;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

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
