package io.tidemill.trainer.promotion;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;

/** Decides about a version that passed its gate and does not serve yet. For one thread. */
public final class Promotions implements AutoCloseable {
    private final PromotionSettings settings;
    private final TopicCatalogue topics;
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final Clock clock;
    private Optional<CanaryWatch> watch = Optional.empty();

    /** @param consumers opens a read_committed consumer without a group */
    public Promotions(
            PromotionSettings settings,
            TopicCatalogue topics,
            Supplier<Consumer<byte[], byte[]>> consumers,
            Clock clock) {
        this.settings = settings;
        this.topics = topics;
        this.consumers = consumers;
        this.clock = clock;
    }

    /**
     * What becomes of a version.
     *
     * @param state  PROMOTED or REFUSED
     * @param reason one sentence
     */
    public record Decision(VersionState state, String reason) {}

    /**
     * Looks at what people have said meanwhile.
     *
     * @param waiting newest event of a version that is CANARY or CANDIDATE
     */
    public Optional<Decision> decide(CheckpointEvent waiting) {
        if (waiting.getState() == VersionState.CANARY) {
            CanaryWatch canary = watch(waiting);
            canary.poll();
            return canary.outcome(clock.instant()).map(outcome -> decision(outcome, canary.figures()));
        }
        forget();
        Instant announced = Instant.ofEpochMilli(Timestamps.toMillis(waiting.getEventTime()));
        boolean over = !settings.patience().isZero() && clock.instant().isAfter(announced.plus(settings.patience()));
        return over
                ? Optional.of(new Decision(
                        VersionState.REFUSED,
                        "Nobody decided within " + settings.patience() + " (trainer.promotion.patience)."))
                : Optional.empty();
    }

    /** The event with what the ratings say by now, where it is a canary's. */
    public CheckpointEvent withFigures(CheckpointEvent waiting) {
        return waiting.getState() == VersionState.CANARY
                ? waiting.toBuilder().setCanary(watch(waiting).figures()).build()
                : waiting;
    }

    /** What the loop waits for, in one sentence without its end. */
    public String told(CheckpointEvent waiting) {
        return waiting.getState() == VersionState.CANARY
                ? String.format(
                        Locale.ROOT,
                        "%s answers %.0f %% of the conversations as a canary; rounds wait for what their ratings say",
                        waiting.getVersion(),
                        100 * waiting.getCanary().getShare())
                : waiting.getVersion() + " passed its gate and waits for a person to promote it or to roll it back; "
                        + "rounds wait with it";
    }

    private CanaryWatch watch(CheckpointEvent canary) {
        if (watch.filter(it -> it.follows(canary)).isEmpty()) {
            forget();
            watch = Optional.of(new CanaryWatch(canary, topics, consumers.get()));
        }
        return watch.get();
    }

    private static Decision decision(CanaryWatch.Outcome outcome, CanaryFigures figures) {
        String numbers = String.format(
                Locale.ROOT,
                "mean score %.3f of %d rated conversations, the champion's %.3f of %d; difference %+.3f [%.3f, %.3f], "
                        + "margin %.3f",
                figures.getCanary().getMeanScore(),
                figures.getCanary().getRated(),
                figures.getChampion().getMeanScore(),
                figures.getChampion().getRated(),
                figures.getDifference(),
                figures.getDifferenceLow(),
                figures.getDifferenceHigh(),
                figures.getMargin());
        boolean anyLoss = figures.getMargin() == 0;
        String why = !outcome.shown()
                ? "its time is over, and its ratings show neither"
                : outcome.promoted()
                        ? "its ratings show that it is " + (anyLoss ? "better" : "not worse by the margin")
                        : "its ratings show that it is worse" + (anyLoss ? "" : " by more than the margin");
        return new Decision(
                outcome.promoted() ? VersionState.PROMOTED : VersionState.REFUSED,
                (outcome.promoted() ? "The canary is promoted: " : "The canary is rolled back: ") + why + " (" + numbers
                        + ").");
    }

    /** Nothing is followed any more. */
    public void forget() {
        watch.ifPresent(CanaryWatch::close);
        watch = Optional.empty();
    }

    @Override
    public void close() {
        forget();
    }
}
