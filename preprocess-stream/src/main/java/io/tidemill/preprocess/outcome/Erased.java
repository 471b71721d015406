package io.tidemill.preprocess.outcome;

import io.tidemill.proto.ErasureSet;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Ends what is to be forgotten at a stage: {@code rejected} gets its id and its place, and neither its text nor its key.
 *
 * @param set grows while the topology runs
 */
public record Erased(ErasureSet set, Outcomes outcomes) {
    public static final String CODE = "erased";

    /**
     * What to forward instead of going on; empty where no erasure concerns it.
     *
     * @param keys what the record goes by
     */
    public <T> Optional<Record<String, Outcome<T>>> refuse(
            String stage,
            Supplier<Set<String>> keys,
            String id,
            Origin origin,
            long timestamp,
            ProcessorContext<?, ?> context) {
        if (set.isEmpty()) {
            return Optional.empty();
        }
        return set.concerning(keys.get()).map(erasure -> {
            Refusal refusal = new Refusal(stage, CODE, "erasure " + erasure.getErasureId() + " concerns it");
            outcomes.refused(refusal);
            Outcome<T> refused =
                    new Outcome.Refused<>(new Origin(origin.topic(), origin.partition(), origin.offset(), null)
                            .refuse(
                                    refusal,
                                    new byte[0],
                                    new RecordHeaders(),
                                    Instant.ofEpochMilli(context.currentSystemTimeMs()),
                                    id));
            return new Record<>(id, refused, timestamp, new RecordHeaders());
        });
    }
}
