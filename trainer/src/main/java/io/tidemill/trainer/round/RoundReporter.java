package io.tidemill.trainer.round;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.Notice;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.trainer.stage.StepReport;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log, about once a second and at every change of phase, where the trainer stands. The newest event is the
 * whole state; losing one loses nothing. Every ten seconds one goes as a transactional heartbeat, which ends a trainer
 * that another has replaced.
 *
 * <p>For several threads.
 */
public final class RoundReporter {
    private static final Logger LOG = LoggerFactory.getLogger(RoundReporter.class);
    private static final Duration PACE = Duration.ofSeconds(1);
    private static final Duration HEARTBEAT = Duration.ofSeconds(10);
    private static final Duration WAITING_PACE = Duration.ofSeconds(3);
    private static final Duration NOTICE_STAYS = Duration.ofMinutes(15);

    private final Consumer<RoundEvent> log;
    private final Consumer<RoundEvent> transactionalLog;
    private final Clock clock;
    private final LongSupplier nanoClock;

    private final RoundEvent.Builder state;
    private volatile RoundEvent newest;
    private long lastSentNanos;
    private long noticedNanos;
    private long lastHeartbeatNanos;
    private double tokensPerSecond;

    /**
     * @param log              sends and does not wait
     * @param transactionalLog sends in a transaction; fails where this trainer is no longer the only one
     */
    public RoundReporter(
            String model,
            Consumer<RoundEvent> log,
            Consumer<RoundEvent> transactionalLog,
            Clock clock,
            LongSupplier nanoClock) {
        this.log = log;
        this.transactionalLog = transactionalLog;
        this.clock = clock;
        this.nanoClock = nanoClock;
        this.state = RoundEvent.newBuilder().setModel(model).setPhase(Phase.WAITING);
        this.newest = state.build();
        this.lastHeartbeatNanos = nanoClock.getAsLong();
        this.lastSentNanos = nanoClock.getAsLong() - WAITING_PACE.toNanos();
    }

    /** The state as last told. */
    public RoundEvent newest() {
        return newest;
    }

    synchronized void begin(RoundPlan plan) {
        Map<String, Long> waiting = Map.copyOf(state.getWaitingMap());
        Map<String, Long> byTopic = Map.copyOf(state.getWaitingByTopicMap());
        String model = state.getModel();
        Optional<Notice> notice = state.hasNotice() ? Optional.of(state.getNotice()) : Optional.empty();
        state.clear()
                .setModel(model)
                .setRound(plan.round())
                .setVersion(plan.version())
                .setStarted(Timestamps.fromMillis(plan.startedMillis()))
                .putAllWaiting(waiting)
                .putAllWaitingByTopic(byTopic);
        notice.ifPresent(state::setNotice);
        phase(Phase.READING, plan.reason());
    }

    synchronized void phase(Phase phase, String message) {
        state.setPhase(phase).setMessage(message);
        LOG.info("round={} phase={} {}", state.getRound(), phase, message);
        send();
    }

    /** What a command did, in whatever phase it is; stays a while, so that whoever asked hears of it. */
    void done(Command command, String text) {
        notice(command, true, text);
    }

    /** Why a command was not carried out, told likewise. */
    void notDone(Command command, String text) {
        notice(command, false, text);
    }

    private synchronized void notice(Command command, boolean done, String text) {
        LOG.info("command={} done={} {}", command.getCommandId(), done, text);
        state.setNotice(Notice.newBuilder()
                .setCommandId(command.getCommandId())
                .setDone(done)
                .setText(text)
                .setEventTime(timestamp(clock.instant())));
        noticedNanos = nanoClock.getAsLong();
        send();
    }

    synchronized void examples(Map<String, Long> counts, Optional<Instant> firstFeedback) {
        state.clearExamples().putAllExamples(counts);
        firstFeedback.ifPresent(at -> state.setFirstFeedbackTime(timestamp(at)));
    }

    /** Work that a stage needs before its first step. */
    synchronized void preparing(String stage, String what) {
        enter(stage, 0, what);
    }

    synchronized void stage(String stage, long steps) {
        enter(stage, steps, "stage " + stage + ", " + steps + " steps");
    }

    private void enter(String stage, long steps, String message) {
        state.setStage(stage)
                .setStep(0)
                .setSteps(steps)
                .setLoss(0)
                .setLearningRate(0)
                .setTokensPerSecond(0);
        tokensPerSecond = 0;
        phase(Phase.TRAINING, message);
    }

    synchronized void step(StepReport report) {
        double smoothing = tokensPerSecond == 0 ? 1 : 0.2;
        tokensPerSecond += smoothing * (report.tokensPerSecond() - tokensPerSecond);
        state.setPhase(Phase.TRAINING)
                .setStep(report.step())
                .setLoss(report.loss())
                .setLearningRate(report.learningRate())
                .setTokensPerSecond(tokensPerSecond);
        LOG.debug(
                "step={} loss={} grad_norm={} lr={} tokens_per_s={} elapsed_ms={} {}",
                report.step(),
                report.loss(),
                report.gradientNorm(),
                report.learningRate(),
                Math.round(report.tokensPerSecond()),
                report.elapsed().toMillis(),
                report.figures());
        tick();
    }

    /** Sends if the last event is a second old. */
    synchronized void tick() {
        if (nanoClock.getAsLong() - lastSentNanos >= PACE.toNanos()) {
            send();
        }
    }

    /** What waits for the next round; told when it changed, every few seconds at most. */
    synchronized void waiting(Map<String, Long> counts, Map<String, Long> byTopic) {
        boolean changed = !state.getWaitingMap().equals(counts);
        state.clearWaiting().putAllWaiting(counts).clearWaitingByTopic().putAllWaitingByTopic(byTopic);
        if (state.getPhase() == Phase.WAITING || state.getPhase() == Phase.PAUSED) {
            boolean due = nanoClock.getAsLong() - lastSentNanos >= WAITING_PACE.toNanos();
            boolean heartbeatDue = nanoClock.getAsLong() - lastHeartbeatNanos >= HEARTBEAT.toNanos();
            if (heartbeatDue || (due && (changed || !newest.getWaitingMap().equals(counts)))) {
                send();
            }
        }
    }

    /** What the ratings of a canary say, told about once a second where it changed; empty where there is none. */
    synchronized void canary(Optional<CanaryFigures> figures) {
        boolean due = nanoClock.getAsLong() - lastSentNanos >= PACE.toNanos();
        boolean changed = figures.isPresent()
                ? !newest.hasCanary() || !newest.getCanary().equals(figures.get())
                : newest.hasCanary();
        if (changed && due) {
            figures.ifPresentOrElse(state::setCanary, state::clearCanary);
            send();
        }
    }

    /** Back to waiting (or to a pause) after a round; how the round ended stays readable in the event. */
    synchronized void idle(Phase phase, String message) {
        if (state.getPhase() != phase || !state.getMessage().equals(message)) {
            state.setPhase(phase).setMessage(message);
            send();
        }
    }

    /** Within quiet hours, when they end. */
    synchronized void quiet(Optional<Instant> until) {
        if (until.isPresent()) {
            state.setQuietUntil(timestamp(until.get()));
        } else {
            state.clearQuietUntil();
        }
    }

    synchronized void end(Phase phase, GateVerdict verdict, double preferenceAccuracy, String message) {
        state.setVerdict(verdict).setPreferenceAccuracy(preferenceAccuracy);
        phase(phase, message);
    }

    private void send() {
        if (nanoClock.getAsLong() - noticedNanos >= NOTICE_STAYS.toNanos()) {
            state.clearNotice();
        }
        newest = state.setEventTime(timestamp(clock.instant())).build();
        lastSentNanos = nanoClock.getAsLong();
        if (lastSentNanos - lastHeartbeatNanos < HEARTBEAT.toNanos()) {
            log.accept(newest);
            return;
        }
        lastHeartbeatNanos = lastSentNanos;
        try {
            transactionalLog.accept(newest);
        } catch (KafkaException e) {
            LOG.warn("The broker does not take the heartbeat; training goes on: {}", e.toString());
        }
    }

    private static Timestamp timestamp(Instant instant) {
        return Timestamps.fromMillis(instant.toEpochMilli());
    }
}
