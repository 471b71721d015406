package io.tidemill.preprocess.route;

import com.google.protobuf.util.Timestamps;
import io.tidemill.preprocess.outcome.Erased;
import io.tidemill.preprocess.outcome.Origin;
import io.tidemill.preprocess.outcome.Outcome;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.preprocess.outcome.Refusal;
import io.tidemill.preprocess.route.Turns.Event;
import io.tidemill.preprocess.route.Turns.Kept;
import io.tidemill.preprocess.route.Turns.Newest;
import io.tidemill.preprocess.route.Turns.Progress;
import io.tidemill.preprocess.state.ExpiringMap.Entry;
import io.tidemill.preprocess.state.IngestionClock;
import io.tidemill.preprocess.state.Purged;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Preference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * By turn: feedback meets the completions it is about, in whichever order they come, and becomes a preference.
 *
 * <p>Both wait by ingestion time as {@link IngestionClock} tells it: feedback then goes to {@code rejected} as
 * unmatched, completions are forgotten. Per rater and matter the newest word counts: an older one that waits ends here,
 * and one that was emitted is taken back by a preference that names it, which holds until a round has read it.
 */
final class JoinProcessor implements Processor<String, TurnEvent, String, Outcome<Preference>> {
    static final String STORE = "turns";
    static final String STAGE = Judge.STAGE;

    static final int SWEEP_SECONDS = 5;

    private static final Duration SWEEP = Duration.ofSeconds(SWEEP_SECONDS);
    private static final char SEPARATOR = '\0';

    private final RouteSettings settings;
    private final Preferences preferences;
    private final Erased erased;
    private final Outcomes outcomes;
    private ProcessorContext<String, Outcome<Preference>> context;
    private Turns turns;
    private IngestionClock clock;

    JoinProcessor(RouteSettings settings, Erased erased, Outcomes outcomes) {
        this.erased = erased;
        this.settings = settings;
        this.preferences = new Preferences(settings);
        this.outcomes = outcomes;
    }

    @Override
    public void init(ProcessorContext<String, Outcome<Preference>> context) {
        this.context = context;
        this.turns = new Turns(
                context.getStateStore(STORE),
                settings,
                this::unmatched,
                forgotten -> outcomes.count(STAGE, "forgotten"));
        this.clock = new IngestionClock(context.currentSystemTimeMs());
        Purged purged = new Purged(context.getStateStore(STORE), erased.set());
        context.schedule(SWEEP, PunctuationType.WALL_CLOCK_TIME, wall -> {
            purged.unlessDone(this::purge);
            turns.expire(clock.now(wall));
        });
    }

    @Override
    public void process(Record<String, TurnEvent> input) {
        clock.observe(input.timestamp(), context.currentSystemTimeMs());
        Origin origin = Origin.read(input.headers());
        Optional<Record<String, Outcome<Preference>>> gone =
                erased.refuse(STAGE, input.value()::keys, input.value().id(), origin, input.timestamp(), context);
        if (gone.isPresent()) {
            context.forward(gone.get());
            return;
        }
        if (input.value() instanceof TurnEvent.Shown shown) {
            shown(shown.message(), origin, input.timestamp());
        } else if (input.value() instanceof TurnEvent.Said said) {
            said(new Waiting(said.message(), origin), input.timestamp());
        }
    }

    /** What waited is accounted for, as what comes is. */
    private void purge() {
        List<Waiting> ended = new ArrayList<>();
        outcomes.count(STAGE, "purged", turns.purge(erased.set(), ended));
        for (Waiting one : ended) {
            Optional<Record<String, Outcome<Preference>>> gone = erased.refuse(
                    STAGE,
                    () -> ErasureKeys.of(one.feedback()),
                    one.feedback().getFeedbackId(),
                    one.origin(),
                    Math.max(0, context.currentSystemTimeMs()),
                    context);
            gone.ifPresent(context::forward);
        }
    }

    private void shown(Completion completion, Origin origin, long ingestedMillis) {
        Optional<Kept> before = turns.completion(completion.getTurnId(), completion.getCompletionId());
        if (before.filter(kept -> kept.completion().equals(completion)).isPresent()) {
            Refusal repeated = repeated("completion", completion.getCompletionId());
            outcomes.refused(repeated);
            forward(
                    completion.getCompletionId(),
                    new Outcome.Refused<>(origin.refuse(repeated, completion, now(), completion.getCompletionId())));
            return;
        }
        turns.keep(completion, ingestedMillis);
        outcomes.count(STAGE, "completion");
        for (Entry entry : turns.waiting(completion.getTurnId())) {
            Waiting waiting = Waiting.fromBytes(entry.value());
            if (settle(waiting, entry.atMillis())) {
                turns.stopWaiting(completion.getTurnId(), waiting.feedback().getFeedbackId());
            }
        }
    }

    private void said(Waiting said, long ingestedMillis) {
        Feedback feedback = said.feedback();
        Optional<Refusal> nothingToLearn = Judge.withoutObjective(feedback);
        if (turns.event(feedback.getFeedbackId()).isPresent()) {
            refuse(said, repeated("feedback", feedback.getFeedbackId()), ingestedMillis);
        } else if (nothingToLearn.isPresent()) {
            // A tie teaches nothing, but it is the rater's newest word all the same.
            boolean onAnswers =
                    feedback.hasComparison() && !feedback.getComparison().hasSelfContained();
            if (!onAnswers || isNewest(said, ingestedMillis)) {
                refuse(said, nothingToLearn.get(), ingestedMillis);
            }
        } else if (feedback.hasWithdrawal()) {
            withdraw(said, ingestedMillis);
        } else if (feedback.getComparison().hasSelfContained()) {
            conclude(said, preferences.selfContained(feedback, ingestedMillis), ingestedMillis);
        } else if (!wasWithdrawn(said, ingestedMillis)
                && isNewest(said, ingestedMillis)
                && !settle(said, ingestedMillis)) {
            turns.remember(feedback, Progress.WAITING, ingestedMillis);
            turns.await(feedback.getTurnId(), said, ingestedMillis);
            outcomes.count(STAGE, "waiting");
        }
    }

    /** Ends a feedback whose completions are all there; false where one is not. */
    private boolean settle(Waiting said, long ingestedMillis) {
        Feedback feedback = said.feedback();
        List<String> ids = completionIds(feedback);
        List<Kept> kept = ids.stream()
                .flatMap(id -> turns.completion(feedback.getTurnId(), id).stream())
                .toList();
        if (kept.size() < ids.size() || ids.isEmpty()) {
            return false;
        }
        List<Completion> completions = kept.stream().map(Kept::completion).toList();
        Optional<Refusal> unusable = Judge.unusable(feedback, completions);
        if (unusable.isPresent()) {
            refuse(said, unusable.get(), ingestedMillis);
            return true;
        }
        long newestMillis = Math.max(
                ingestedMillis,
                kept.stream().mapToLong(Kept::ingestedMillis).max().orElse(0));
        conclude(said, preference(feedback, completions, newestMillis), ingestedMillis);
        return true;
    }

    private Preference preference(Feedback feedback, List<Completion> completions, long ingestedMillis) {
        return switch (feedback.getKindCase()) {
            case COMPARISON -> preferences.comparison(feedback, completions.get(0), completions.get(1), ingestedMillis);
            case CORRECTION -> preferences.correction(feedback, completions.get(0), ingestedMillis);
            default -> preferences.scored(feedback, completions.get(0), ingestedMillis);
        };
    }

    private void conclude(Waiting said, Preference preference, long ingestedMillis) {
        // What it was made of may have been erased between two purges.
        Optional<Record<String, Outcome<Preference>>> gone = erased.refuse(
                STAGE,
                () -> ErasureKeys.of(preference),
                said.feedback().getFeedbackId(),
                said.origin(),
                Math.max(0, context.currentSystemTimeMs()),
                context);
        if (gone.isPresent()) {
            turns.remember(said.feedback(), Progress.ENDED, ingestedMillis);
            context.forward(gone.get());
            return;
        }
        Optional<Refusal> useless = Judge.useless(preference);
        if (useless.isPresent()) {
            refuse(said, useless.get(), ingestedMillis);
            return;
        }
        turns.remember(said.feedback(), Progress.EMITTED, ingestedMillis);
        outcomes.accepted(STAGE);
        forward(turn(said.feedback()), new Outcome.Passed<>(preference));
    }

    /** Takes back what waits or was emitted. A withdrawal may come before what it withdraws. */
    private void withdraw(Waiting withdrawal, long ingestedMillis) {
        Feedback feedback = withdrawal.feedback();
        String target = feedback.getWithdrawal().getFeedbackId();
        Optional<Event> event = turns.event(target);
        if (event.isEmpty()) {
            turns.remember(feedback, Progress.WAITING, ingestedMillis);
            turns.await(feedback.getTurnId(), withdrawal, ingestedMillis);
            outcomes.count(STAGE, "waiting");
        } else if (!event.get().subject().equals(feedback.getPrincipal().getSubject())) {
            refuse(withdrawal, notOwn(target), ingestedMillis);
        } else if (event.get().progress() == Progress.EMITTED) {
            takeBack(target, feedback, ingestedMillis);
            turns.remember(feedback, Progress.ENDED, ingestedMillis);
            outcomes.count(STAGE, "withdrawal");
        } else {
            turns.stopWaiting(feedback.getTurnId(), target)
                    .ifPresent(waiting -> withdrawn(waiting, feedback, ingestedMillis));
            turns.remember(feedback, Progress.ENDED, ingestedMillis);
            outcomes.count(STAGE, "withdrawal");
        }
    }

    /** Tells those who read preferences that what came of the older feedback counts no more. */
    private void takeBack(String older, Feedback by, long ingestedMillis) {
        List<Completion> turn = turns.anyCompletion(by.getTurnId()).map(Kept::completion).stream()
                .toList();
        outcomes.count(STAGE, "taken-back");
        forward(turn(by), new Outcome.Passed<>(preferences.takingBack(older, by, turn, ingestedMillis)));
    }

    private boolean wasWithdrawn(Waiting said, long ingestedMillis) {
        Feedback feedback = said.feedback();
        for (Entry entry : turns.waiting(feedback.getTurnId())) {
            Waiting waiting = Waiting.fromBytes(entry.value());
            Feedback withdrawal = waiting.feedback();
            if (withdrawal.hasWithdrawal()
                    && withdrawal.getWithdrawal().getFeedbackId().equals(feedback.getFeedbackId())) {
                turns.stopWaiting(feedback.getTurnId(), withdrawal.getFeedbackId());
                if (withdrawal
                        .getPrincipal()
                        .getSubject()
                        .equals(feedback.getPrincipal().getSubject())) {
                    withdrawn(said, withdrawal, ingestedMillis);
                    turns.remember(withdrawal, Progress.ENDED, entry.atMillis());
                    outcomes.count(STAGE, "withdrawal");
                    return true;
                }
                refuse(waiting, notOwn(feedback.getFeedbackId()), entry.atMillis());
            }
        }
        return false;
    }

    private void withdrawn(Waiting said, Feedback withdrawal, long ingestedMillis) {
        rater(said.feedback())
                .ifPresent(rater -> turns.forgetNewest(rater, said.feedback().getFeedbackId()));
        String reason = "taken back by " + withdrawal.getFeedbackId();
        refuse(said, new Refusal(STAGE, "withdrawn", reason), ingestedMillis);
    }

    /** Whether this is its rater's newest word; then the older one ends here, or is taken back. */
    private boolean isNewest(Waiting said, long ingestedMillis) {
        Feedback feedback = said.feedback();
        Optional<String> rater = rater(feedback);
        if (rater.isEmpty()) {
            return true;
        }
        long eventMillis = feedback.hasEventTime() ? Timestamps.toMillis(feedback.getEventTime()) : ingestedMillis;
        Optional<Newest> before = turns.newest(rater.get());
        if (before.isPresent() && before.get().eventMillis() > eventMillis) {
            refuse(said, superseded(before.get().feedbackId()), ingestedMillis);
            return false;
        }
        before.flatMap(older -> turns.stopWaiting(feedback.getTurnId(), older.feedbackId()))
                .ifPresent(older -> refuse(older, superseded(feedback.getFeedbackId()), ingestedMillis));
        before.map(Newest::feedbackId)
                .filter(older -> turns.event(older)
                        .filter(event -> event.progress() == Progress.EMITTED)
                        .isPresent())
                .ifPresent(older -> takeBack(older, feedback, ingestedMillis));
        turns.setNewest(rater.get(), new Newest(feedback.getFeedbackId(), eventMillis), ingestedMillis);
        return true;
    }

    private void unmatched(Entry entry) {
        Waiting waiting = Waiting.fromBytes(entry.value());
        Feedback feedback = waiting.feedback();
        String sought = feedback.hasWithdrawal()
                ? "feedback " + feedback.getWithdrawal().getFeedbackId()
                : "completion "
                        + completionIds(feedback).stream()
                                .filter(id -> turns.completion(feedback.getTurnId(), id)
                                        .isEmpty())
                                .collect(Collectors.joining(" and "));
        String reason = sought + " of turn " + feedback.getTurnId()
                + ": completion unknown or expired; it was waited for "
                + settings.feedback().retention() + " (preprocess.feedback-wait)";
        refuse(waiting, new Refusal(STAGE, "unmatched", reason), entry.atMillis());
    }

    private void refuse(Waiting said, Refusal refusal, long ingestedMillis) {
        Feedback feedback = said.feedback();
        if (!refusal.code().equals("repeated")) {
            turns.remember(feedback, Progress.ENDED, ingestedMillis);
        }
        outcomes.refused(refusal);
        forward(
                feedback.getFeedbackId(),
                new Outcome.Refused<>(said.origin().refuse(refusal, feedback, now(), feedback.getFeedbackId())));
    }

    private void forward(String key, Outcome<Preference> outcome) {
        context.forward(new Record<>(key, outcome, Math.max(0, context.currentSystemTimeMs()), new RecordHeaders()));
    }

    private Instant now() {
        return Instant.ofEpochMilli(context.currentSystemTimeMs());
    }

    private static Refusal repeated(String what, String id) {
        return new Refusal("deduplicate", "repeated", "the " + what + " " + id + " came before");
    }

    private static Refusal superseded(String newer) {
        return new Refusal(STAGE, "superseded", "the same rater's newer feedback " + newer + " counts instead");
    }

    private static Refusal notOwn(String target) {
        return new Refusal(
                STAGE, "not-own", "feedback " + target + " is another rater's, and only its own may take it back");
    }

    private static String turn(Feedback feedback) {
        return new TurnEvent.Said(feedback).turn();
    }

    private static List<String> completionIds(Feedback feedback) {
        return switch (feedback.getKindCase()) {
            case THUMB -> List.of(feedback.getThumb().getCompletionId());
            case RATING -> List.of(feedback.getRating().getCompletionId());
            case CORRECTION -> List.of(feedback.getCorrection().getCompletionId());
            case COMPARISON -> {
                Comparison comparison = feedback.getComparison();
                yield List.of(comparison.getCompletionA(), comparison.getCompletionB());
            }
            default -> List.of();
        };
    }

    /** Who says something of which kind about what; none where nobody knows who. */
    private static Optional<String> rater(Feedback feedback) {
        String subject = feedback.getPrincipal().getSubject();
        if (subject.isEmpty()) {
            return Optional.empty();
        }
        String kind = feedback.hasThumb() || feedback.hasRating()
                ? "rating"
                : feedback.getKindCase().name();
        String matter = completionIds(feedback).stream().sorted().collect(Collectors.joining(" "));
        return Optional.of(Stream.of(subject, kind, matter).collect(Collectors.joining(String.valueOf(SEPARATOR))));
    }
}
