package io.tidemill.preprocess.route;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.state.ExpiringMap;
import io.tidemill.preprocess.state.ExpiringMap.Entry;
import io.tidemill.preprocess.state.IngestionClock;
import io.tidemill.preprocess.state.Purged;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Principal;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * By prompt: an answer rated up and another rated down make a pair.
 *
 * <p>Each rating is in one pair at most, so that one much-rated prompt does not count for its square; the oldest that
 * fits is taken. Both have to stand on one side of the split, or what is held out would be trained. Up is a score of
 * {@value #UP} or more, down {@value #DOWN} or less; what lies between is in no pair.
 */
final class PairRatingsProcessor implements Processor<String, Preference, String, Preference> {
    static final String STORE = "open-ratings";
    static final String STAGE = "pair-ratings";
    static final double UP = 0.75;
    static final double DOWN = 0.25;

    /** Ratings of one prompt that wait for an opposite; the oldest goes when another comes. */
    private static final int OPEN_PER_PROMPT = 32;

    static final int SWEEP_SECONDS = 15;

    private static final Duration SWEEP = Duration.ofSeconds(SWEEP_SECONDS);
    private static final char SEPARATOR = '\0';

    private final RouteSettings settings;
    private final ErasureSet erased;
    private final Outcomes outcomes;
    private ProcessorContext<String, Preference> context;
    private ExpiringMap open;
    private IngestionClock clock;

    PairRatingsProcessor(RouteSettings settings, ErasureSet erased, Outcomes outcomes) {
        this.erased = erased;
        this.settings = settings;
        this.outcomes = outcomes;
    }

    @Override
    public void init(ProcessorContext<String, Preference> context) {
        this.context = context;
        this.open = new ExpiringMap(context.getStateStore(STORE), 'o', settings.completions());
        this.clock = new IngestionClock(context.currentSystemTimeMs());
        Purged purged = new Purged(context.getStateStore(STORE), erased);
        context.schedule(SWEEP, PunctuationType.WALL_CLOCK_TIME, wall -> {
            purged.unlessDone(() -> outcomes.count(
                    STAGE, "purged", open.removeIf(entry -> erased.concerns(ErasureKeys.of(read(entry))))));
            open.expire(clock.now(wall), this::forgotten);
        });
    }

    @Override
    public void process(Record<String, Preference> input) {
        clock.observe(input.timestamp(), context.currentSystemTimeMs());
        Preference rating = input.value();
        if (!erased.isEmpty() && erased.concerns(ErasureKeys.of(rating))) {
            outcomes.count(STAGE, "erased");
            return;
        }
        if (rating.getWithdrawnCount() > 0) {
            open.withPrefix(input.key() + SEPARATOR).stream()
                    .filter(entry -> rating.getWithdrawnList()
                            .contains(read(entry).getProvenance().getParentIds(0)))
                    .forEach(entry -> open.remove(entry.key()));
            return;
        }
        double score = rating.getScored().getScore();
        if (score > DOWN && score < UP) {
            outcomes.count(STAGE, "neither");
            return;
        }
        List<Entry> ratings = open.withPrefix(input.key() + SEPARATOR).stream()
                .sorted(Comparator.comparingLong(Entry::atMillis))
                .toList();
        ratings.stream().filter(entry -> isOlderWord(read(entry), rating)).forEach(entry -> open.remove(entry.key()));
        Optional<Entry> opposite = ratings.stream()
                .filter(entry -> isOpposite(read(entry), rating))
                .filter(entry -> erased.isEmpty() || !erased.concerns(ErasureKeys.of(read(entry))))
                .findFirst();
        if (opposite.isPresent()) {
            open.remove(opposite.get().key());
            emit(input, score >= UP, read(opposite.get()));
        } else {
            if (ratings.size() >= OPEN_PER_PROMPT) {
                open.remove(ratings.get(0).key()).ifPresent(this::forgotten);
            }
            String key = input.key() + SEPARATOR + rating.getExampleId();
            open.put(key, rating.toByteArray(), input.timestamp(), this::forgotten);
            outcomes.count(STAGE, "open");
        }
    }

    private void emit(Record<String, Preference> input, boolean up, Preference opposite) {
        Preference rating = input.value();
        Preference pair = up ? Preferences.ofRatings(rating, opposite) : Preferences.ofRatings(opposite, rating);
        outcomes.accepted(STAGE);
        context.forward(new Record<>(input.key(), pair, input.timestamp(), new RecordHeaders()));
    }

    /** The same rater on the same completion. */
    private static boolean isOlderWord(Preference older, Preference newer) {
        Principal rater = newer.getProvenance().getPrincipal();
        return !rater.getSubject().isEmpty()
                && rater.getSubject()
                        .equals(older.getProvenance().getPrincipal().getSubject())
                && newer.getScored()
                        .getAnswer()
                        .getCompletionId()
                        .equals(older.getScored().getAnswer().getCompletionId());
    }

    private static boolean isOpposite(Preference one, Preference other) {
        boolean oneUp = one.getScored().getScore() >= UP;
        boolean otherUp = other.getScored().getScore() >= UP;
        return oneUp != otherUp
                && one.getSplit() == other.getSplit()
                && !one.getScored()
                        .getAnswer()
                        .getText()
                        .equals(other.getScored().getAnswer().getText());
    }

    private void forgotten(Entry entry) {
        outcomes.count(STAGE, "forgotten");
    }

    private static Preference read(Entry entry) {
        try {
            return Preference.parseFrom(entry.value());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("The store of open ratings holds something else: " + e.getMessage(), e);
        }
    }
}
