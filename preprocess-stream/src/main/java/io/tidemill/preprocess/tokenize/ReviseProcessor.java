package io.tidemill.preprocess.tokenize;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemill.preprocess.outcome.Erased;
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

/**
 * By id: normalises, screens, and drops what came before under the same id with the same content. The same id with
 * other content is a new revision and goes on, keyed by its content.
 */
final class ReviseProcessor implements Processor<String, Material, String, Outcome<Material>> {
    static final String STORE = "revisions";

    private static final Duration SWEEP = Duration.ofMinutes(1);

    private final TokenizeSettings settings;
    private final Screen screen;
    private final Erased erased;
    private final Outcomes outcomes;
    private ProcessorContext<String, Outcome<Material>> context;
    private ExpiringMap revisions;
    private IngestionClock clock;

    ReviseProcessor(TokenizeSettings settings, Erased erased, Outcomes outcomes) {
        this.erased = erased;
        this.settings = settings;
        this.screen = new Screen(settings.maxDocumentCharacters());
        this.outcomes = outcomes;
    }

    @Override
    public void init(ProcessorContext<String, Outcome<Material>> context) {
        this.context = context;
        this.revisions = new ExpiringMap(context.getStateStore(STORE), 'r', settings.deduplication());
        this.clock = new IngestionClock(context.currentSystemTimeMs());
        context.schedule(
                SWEEP,
                PunctuationType.WALL_CLOCK_TIME,
                wall -> revisions.expire(clock.now(wall), forgotten -> outcomes.count("screen", "forgotten-id")));
    }

    @Override
    public void process(Record<String, Material> input) {
        clock.observe(input.timestamp(), context.currentSystemTimeMs());
        Optional<Record<String, Outcome<Material>>> gone = erased.refuse(
                "screen",
                input.value()::keys,
                input.value().id(),
                Origin.read(input.headers()),
                input.timestamp(),
                context);
        if (gone.isPresent()) {
            context.forward(gone.get());
            return;
        }
        Material material = input.value().normalized();
        Optional<Refusal> refusal = screen.refuse(material).or(() -> repeated(material, input.timestamp()));
        if (refusal.isPresent()) {
            refuse(input, refusal.get());
            return;
        }
        outcomes.accepted("screen");
        context.forward(input.withKey(material.contentKey()).withValue(new Outcome.Passed<>(material)));
    }

    private Optional<Refusal> repeated(Material material, long ingestedMillis) {
        String key = material.kind() + "/" + material.id();
        String content = material.contentKey();
        boolean same = revisions
                .get(key)
                .filter(entry -> new String(entry.value(), UTF_8).equals(content))
                .isPresent();
        revisions.put(
                key, content.getBytes(UTF_8), ingestedMillis, forgotten -> outcomes.count("screen", "forgotten-id"));
        return same
                ? Optional.of(new Refusal(
                        "deduplicate",
                        "repeated",
                        "the " + material.kind() + " " + material.id() + " came before with the same content"))
                : Optional.empty();
    }

    private void refuse(Record<String, Material> input, Refusal refusal) {
        outcomes.refused(refusal);
        Instant now = Instant.ofEpochMilli(context.currentSystemTimeMs());
        Outcome<Material> refused = new Outcome.Refused<>(Origin.read(input.headers())
                .refuse(refusal, input.value().message(), now, input.value().id()));
        context.forward(new Record<>(input.value().id(), refused, input.timestamp(), new RecordHeaders()));
    }
}
