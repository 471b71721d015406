package io.tidemill.trainer.round;

import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.v1.RoundEvent.Phase;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;

/**
 * Looks, between two pieces of a round's work, at what may end it or hold it up: commands, erasures, a pause, the process's end; and
 * waits for the model's turn where several share the process.
 */
final class RoundWatch implements RoundControl {
    private static final Duration COMMANDS_PACE = Duration.ofMillis(50);

    /** Of everything else, also of what waits, which may be a million records. */
    private static final Duration PACE = Duration.ofMillis(500);

    private final Ownership owned;
    private final Turns turns;
    private final BooleanSupplier stopping;

    private Map<TopicPartition, Long> ends = Map.of();
    private Set<String> members = Set.of();
    private long erasuresKnown;
    private long lastCommandsNanos;
    private long lastNanos;

    RoundWatch(Ownership owned, Turns turns, BooleanSupplier stopping) {
        this.owned = owned;
        this.turns = turns;
        this.stopping = stopping;
    }

    /**
     * A round begins.
     *
     * @param sliceEnds what comes after waits for the next one
     * @param erasures  offset of those that its plan knows
     */
    void begin(Map<TopicPartition, Long> sliceEnds, long erasures) {
        ends = sliceEnds;
        members = Set.of();
        erasuresKnown = erasures;
    }

    @Override
    public void members(Set<String> keys) {
        members = keys;
        checkMembers();
    }

    /** Between two steps: commands are read, a pause waits here. */
    @Override
    public void check() {
        if (stopping.getAsBoolean()) {
            throw new TrainerStoppedException();
        }
        if (owned.nanoClock().getAsLong() - lastCommandsNanos < COMMANDS_PACE.toNanos()) {
            return;
        }
        owned.commands().poll(Duration.ZERO);
        owned.commands().poll(Duration.ZERO); // where the first heard that there was nothing, the second asks again
        lastCommandsNanos = owned.nanoClock().getAsLong();
        if (lastCommandsNanos - lastNanos >= PACE.toNanos()) {
            checkErasures();
            owned.backlog().poll(Duration.ZERO);
            owned.tellWaiting(ends);
            lastNanos = owned.nanoClock().getAsLong();
        }
        if (owned.commands().changesChampion()) {
            throw new RoundAbandonedException("A command changes the champion that this round started from.");
        }
        if (owned.commands().pause().isPresent()) {
            pause();
        }
    }

    /** In the middle of a round; others train meanwhile. */
    private void pause() {
        turns.end();
        while (owned.commands().pause().isPresent()) {
            owned.reporter()
                    .idle(
                            Phase.PAUSED,
                            "paused in the middle of a round: "
                                    + owned.commands().pause().get());
            owned.commands().poll(Ownership.POLL);
            checkErasures();
            if (stopping.getAsBoolean()) {
                throw new TrainerStoppedException();
            }
        }
        if (!takeTurn()) {
            throw new RoundAbandonedException("A command changes the champion that this round started from.");
        }
    }

    private void checkErasures() {
        owned.purgeWhatCame();
        checkMembers();
    }

    /** Is something that the running round reads to be forgotten since it was planned? */
    private void checkMembers() {
        ErasureSet since = ErasureSet.of(owned.erasures().from(erasuresKnown).stream()
                .map(Erasures.Numbered::erasure)
                .toList());
        since.concerning(members).ifPresent(erasure -> {
            throw new MemberErasedException("Erasure " + erasure.getErasureId()
                    + " concerns what this round reads: it begins again without that.");
        });
    }

    /**
     * Waits while another model of the process trains; meanwhile the log is followed as if this one was idle.
     *
     * @return false where a command changes the champion, which must not wait for a round
     */
    boolean takeTurn() {
        try {
            while (!turns.take(owned.options().model(), Ownership.POLL)) {
                if (stopping.getAsBoolean()) {
                    throw new TrainerStoppedException();
                }
                owned.commands().poll(Duration.ZERO);
                owned.purgeWhatCame();
                owned.backlog().poll(Duration.ZERO);
                owned.tellWaiting(Map.of());
                owned.reporter().idle(Phase.WAITING, "waiting for its turn: " + turns.holder() + " trains");
                if (owned.commands().changesChampion()) {
                    return false;
                }
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrainerStoppedException();
        }
    }

    void endTurn() {
        turns.end();
    }
}
