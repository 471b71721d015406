package io.tidemill.feedback.loop;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What this process has done since it started: for the page, and as metrics. */
public final class Activity {
    private static final int NEWEST_ERRORS = 20;

    private final MeterRegistry metrics;
    private final Clock clock;
    private final Runnable changed;
    private final Timer answers;
    private final Timer firstTokens;
    private final Counter tokens;
    private final Timer readings;
    private final Counter texts;
    private final LongAdder asked = new LongAdder();
    private final LongAdder answered = new LongAdder();
    private final LongAdder stored = new LongAdder();
    private final LongAdder partial = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final Map<String, LongAdder> feedback = new ConcurrentHashMap<>();
    private final Percentiles answerTimes = new Percentiles();
    private final Percentiles firstTokenTimes = new Percentiles();
    private final Deque<Problem> errors = new ArrayDeque<>();

    /** @param changed told after each change */
    public Activity(MeterRegistry metrics, Clock clock, Runnable changed) {
        this.metrics = metrics;
        this.clock = clock;
        this.changed = changed;
        this.answers = timer("feedback_answer_seconds", "From the request to the last token of all its choices");
        this.firstTokens = timer("feedback_first_token_seconds", "From the request to the first token");
        this.tokens = Counter.builder("feedback_answer_tokens")
                .description("Tokens generated")
                .register(metrics);
        this.readings = timer("feedback_reading_seconds", "From a request about texts to what an encoder says of them");
        this.texts = Counter.builder("feedback_read_texts")
                .description("Texts that encoders read")
                .register(metrics);
    }

    private Timer timer(String name, String description) {
        return Timer.builder(name)
                .description(description)
                .publishPercentiles(0.5, 0.95)
                .register(metrics);
    }

    /** A question was let in. */
    public void asked() {
        asked.increment();
        changed.run();
    }

    /** A question was turned away because too many wait or nothing serves. */
    public void turnedAway() {
        refused.increment();
        metrics.counter("feedback_requests_turned_away").increment();
        changed.run();
    }

    public void firstToken(long nanos) {
        firstTokens.record(Duration.ofNanos(nanos));
        firstTokenTimes.add(nanos);
    }

    public void answered(long nanos, int answerTokens) {
        answered.increment();
        answers.record(Duration.ofNanos(nanos));
        answerTimes.add(nanos);
        tokens.increment(answerTokens);
        changed.run();
    }

    /** An encoder has said what it was asked of some texts. */
    public void read(long nanos, int number) {
        answered.increment();
        readings.record(Duration.ofNanos(nanos));
        answerTimes.add(nanos);
        texts.increment(number);
        changed.run();
    }

    /** The broker has acknowledged a completion. */
    public void stored(boolean isPartial) {
        stored.increment();
        if (isPartial) {
            partial.increment();
        }
        metrics.counter("feedback_completions_stored", "partial", Boolean.toString(isPartial))
                .increment();
        changed.run();
    }

    /** The broker has acknowledged feedback of a kind. */
    public void rated(String kind) {
        feedback.computeIfAbsent(kind, unused -> new LongAdder()).increment();
        metrics.counter("feedback_events", "kind", kind).increment();
        changed.run();
    }

    /** Something failed that a person should know of. */
    public void failed(String where, Throwable failure) {
        boolean wrapped = failure instanceof CompletionException && failure.getCause() != null;
        Throwable cause = wrapped ? failure.getCause() : failure;
        String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        synchronized (errors) {
            errors.addFirst(new Problem(clock.instant(), where, message));
            while (errors.size() > NEWEST_ERRORS) {
                errors.removeLast();
            }
        }
        metrics.counter("feedback_errors", "where", where).increment();
        changed.run();
    }

    /** The newest failures, newest first. */
    List<Problem> problems() {
        synchronized (errors) {
            return List.copyOf(errors);
        }
    }

    Counts counts() {
        Map<String, Long> kinds = new TreeMap<>();
        feedback.forEach((kind, count) -> kinds.put(kind, count.sum()));
        return new Counts(asked.sum(), answered.sum(), stored.sum(), partial.sum(), refused.sum(), kinds);
    }

    Percentiles answerTimes() {
        return answerTimes;
    }

    Percentiles firstTokenTimes() {
        return firstTokenTimes;
    }

    /** Events since the start of the process; {@code feedback} by kind. */
    record Counts(long asked, long answered, long stored, long partial, long turnedAway, Map<String, Long> feedback) {}

    /** A failure and when it happened. */
    record Problem(Instant at, String where, String message) {}
}
