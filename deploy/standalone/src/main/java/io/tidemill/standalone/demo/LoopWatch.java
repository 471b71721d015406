package io.tidemill.standalone.demo;

import io.tidemill.proto.Readers;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.TopicTail;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.VersionState;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Follows {@code checkpoints} and {@code rounds} as any subscriber may, and tells what has become of each round. */
final class LoopWatch implements AutoCloseable {
    private static final Set<Phase> BUSY = EnumSet.of(Phase.READING, Phase.TRAINING, Phase.GATING, Phase.PUBLISHING);

    private static final Duration GLANCE = Duration.ofMillis(500);

    /** Under which the trainer counts what only the gate reads. */
    private static final String HELD_OUT = "held-out";

    private final String model;
    private final TopicTail<CheckpointEvent> checkpoints;
    private final TopicTail<RoundEvent> rounds;
    private final Set<String> told = new HashSet<>();
    private final BlockingQueue<Finished> finished = new LinkedBlockingQueue<>();
    private volatile Optional<RoundEvent> round = Optional.empty();
    private volatile Instant roundHeardAt = Instant.now();
    private volatile long newestRound;

    /** How a round ended. */
    sealed interface Finished {
        /** With a verdict of the gate, and when we heard of it. */
        record Judged(CheckpointEvent event, Instant at) implements Finished {
            boolean promoted() {
                return event.getState() == VersionState.PROMOTED;
            }
        }

        /** For a technical reason. */
        record Failed(String reason) implements Finished {}
    }

    LoopWatch(String bootstrapServers, TopicCatalogue topics, String model) {
        this.model = model;
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrapServers);
        this.checkpoints = new TopicTail<>(settings, topics.checkpoints(), Readers.checkpoints(), this::onCheckpoint);
        this.rounds = new TopicTail<>(settings, topics.rounds(), Readers.rounds(), this::onRound);
    }

    /** Reads what has happened so far and forgets which rounds ended before now. */
    void start() throws InterruptedException {
        checkpoints.start();
        rounds.start();
        try {
            checkpoints.firstCaughtUp().get(1, TimeUnit.MINUTES);
            rounds.firstCaughtUp().get(1, TimeUnit.MINUTES);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("The topics of the loop could not be read within a minute", e);
        }
        finished.clear();
    }

    /** The newest word of the trainer about the round that is running or awaited. */
    Optional<RoundEvent> round() {
        return round;
    }

    /** Number of the newest version of the lineage; 0 when nothing has been trained. */
    long newestRound() {
        return newestRound;
    }

    boolean isBusy() {
        return round.filter(r -> BUSY.contains(r.getPhase())).isPresent();
    }

    /**
     * Waits until so many held-out examples have come through preprocessing to the trainer, or no more come.
     *
     * @param settled time without a new one after which no more are expected
     */
    void awaitHeldOut(long count, Duration settled) throws InterruptedException {
        long seen = -1;
        Instant changedAt = Instant.now();
        while (seen < count && Duration.between(changedAt, Instant.now()).compareTo(settled) < 0) {
            long now =
                    round.map(r -> r.getWaitingMap().getOrDefault(HELD_OUT, 0L)).orElse(0L);
            if (now != seen) {
                seen = now;
                changedAt = Instant.now();
            }
            Thread.sleep(GLANCE.toMillis());
        }
    }

    /** Waits for the next round to end; one that says nothing for so long has failed. */
    Finished awaitFinished(Duration silence) throws InterruptedException {
        Instant asked = Instant.now();
        while (true) {
            Finished next = finished.poll(GLANCE.toMillis(), TimeUnit.MILLISECONDS);
            if (next != null) {
                return next;
            }
            Instant heard = roundHeardAt.isAfter(asked) ? roundHeardAt : asked;
            if (Duration.between(heard, Instant.now()).compareTo(silence) > 0) {
                return new Finished.Failed("nothing was heard of the round for " + silence.toSeconds() + " s");
            }
        }
    }

    private void onCheckpoint(CheckpointEvent event) {
        if (!event.getModel().equals(model)) {
            return;
        }
        newestRound = Math.max(newestRound, VersionId.parse(event.getVersion()).round());
        boolean judged = event.getState() == VersionState.PROMOTED || event.getState() == VersionState.REFUSED;
        if (judged && event.hasVerdict() && told.add(event.getVersion())) {
            finished.add(new Finished.Judged(event, Instant.now()));
        }
    }

    private void onRound(RoundEvent event) {
        if (!event.getModel().equals(model)) {
            return;
        }
        round = Optional.of(event);
        roundHeardAt = Instant.now();
        if (event.getPhase() == Phase.FAILED) {
            finished.add(new Finished.Failed(event.getMessage()));
        }
    }

    @Override
    public void close() {
        checkpoints.close();
        rounds.close();
    }
}
