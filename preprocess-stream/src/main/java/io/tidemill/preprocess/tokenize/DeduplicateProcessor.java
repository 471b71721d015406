package io.tidemill.preprocess.tokenize;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemill.preprocess.outcome.Origin;
import io.tidemill.preprocess.outcome.Outcome;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.outcome.Refusal;
import io.tidemill.preprocess.state.ExpiringMap;
import io.tidemill.preprocess.state.IngestionClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** By content: the first record with a content goes on, later ones with another id are duplicates. */
final class DeduplicateProcessor implements Processor<String, Material, String, Outcome<Material>> {
    static final String STORE = "contents";
    static final String STAGE = "deduplicate";

    private static final Duration SWEEP = Duration.ofMinutes(1);

    private final TokenizeSettings settings;
    private final Outcomes outcomes;
    private ProcessorContext<String, Outcome<Material>> context;
    private ExpiringMap contents;
    private IngestionClock clock;

    DeduplicateProcessor(TokenizeSettings settings, Outcomes outcomes) {
        this.settings = settings;
        this.outcomes = outcomes;
    }

    @Override
    public void init(ProcessorContext<String, Outcome<Material>> context) {
        this.context = context;
        this.contents = new ExpiringMap(context.getStateStore(STORE), 'c', settings.deduplication());
        this.clock = new IngestionClock(context.currentSystemTimeMs());
        context.schedule(
                SWEEP,
                PunctuationType.WALL_CLOCK_TIME,
                wall -> contents.expire(clock.now(wall), forgotten -> outcomes.count(STAGE, "forgotten-content")));
    }

    @Override
    public void process(Record<String, Material> input) {
        clock.observe(input.timestamp(), context.currentSystemTimeMs());
        Optional<String> first = contents.get(input.key()).map(entry -> new String(entry.value(), UTF_8));
        if (first.isPresent()) {
            refuse(input, first.get());
            return;
        }
        Material material = input.value();
        byte[] name = (material.kind() + " " + material.id()).getBytes(UTF_8);
        contents.put(input.key(), name, input.timestamp(), forgotten -> outcomes.count(STAGE, "forgotten-content"));
        outcomes.accepted(STAGE);
        context.forward(input.withValue(new Outcome.Passed<>(material)));
    }

    private void refuse(Record<String, Material> input, String first) {
        Material material = input.value();
        Refusal refusal =
                new Refusal(STAGE, "duplicate", "the " + material.kind() + " has the same content as the " + first);
        outcomes.refused(refusal);
        Instant now = Instant.ofEpochMilli(context.currentSystemTimeMs());
        Outcome<Material> refused = new Outcome.Refused<>(
                Origin.read(input.headers()).refuse(refusal, material.message(), now, material.id()));
        context.forward(new Record<>(material.id(), refused, input.timestamp(), new RecordHeaders()));
    }
}
