package io.tidemill.trainer.round;

import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.v1.RoundEvent.Phase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;

/**
 * Looks, between two pieces of a round's work, at what may end it or hold it up: commands, erasures, a pause, the process's end; and
 * waits for the model's turn where several share the process.
 *
 * <p>A command that changes the champion is not held up by the round that it makes pointless: it is carried out by the thread that heard
 * it, while the round finds its end.
 */
final class RoundWatch implements RoundControl {
    /** Of what waits, which may be a million records, and of erasures. */
    private static final Duration PACE = Duration.ofMillis(500);

    private final Ownership owned;
    private final Turns turns;
    private final BooleanSupplier stopping;

    private Map<TopicPartition, Long> ends = Map.of();
    private Set<String> members = Set.of();
    private long erasuresKnown;
    private long lastNanos;

    private enum Standing {
        NO_ROUND,
        RUNNING,
        GIVEN_UP,
        COMMITTED
    }

    /** Changed by {@link #begin}, {@link #commit}, {@link #end} and {@link #championChanges} alone, one after the other. */
    private volatile Standing standing = Standing.NO_ROUND;

    private WorkDirectory work;

    RoundWatch(Ownership owned, Turns turns, BooleanSupplier stopping) {
        this.owned = owned;
        this.turns = turns;
        this.stopping = stopping;
    }

    /**
     * A round begins, which must {@link #end}.
     *
     * @param sliceEnds what comes after waits for the next one
     * @param erasures  offset of those that its plan knows
     * @throws RoundAbandonedException if a command that changes the champion waits
     */
    synchronized void begin(WorkDirectory round, Map<TopicPartition, Long> sliceEnds, long erasures) {
        if (owned.commands().changesChampion()) {
            throw abandoned();
        }
        work = round;
        ends = sliceEnds;
        members = Set.of();
        erasuresKnown = erasures;
        standing = Standing.RUNNING;
    }

    /**
     * The round is over, announced where it was to be.
     *
     * @return whether a command has changed the champion meanwhile
     */
    synchronized boolean end() {
        boolean changed = standing == Standing.GIVEN_UP;
        standing = Standing.NO_ROUND;
        owned.commands().check();
        return changed;
    }

    /** What carries a command out in the middle of a round. */
    interface ChampionChange {
        /** @param giveUp to be run before anything is announced */
        void carryOut(Runnable giveUp);
    }

    /** In the middle of a round, does that; otherwise the trainer's own thread carries the command out. */
    synchronized void championChanges(ChampionChange change) {
        if (standing == Standing.RUNNING || standing == Standing.GIVEN_UP) {
            change.carryOut(this::giveUp);
        }
    }

    private void giveUp() {
        if (standing == Standing.GIVEN_UP) {
            return;
        }
        standing = Standing.GIVEN_UP;
        try {
            work.giveUp();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void commit() {
        if (standing == Standing.GIVEN_UP) {
            throw abandoned();
        }
        standing = Standing.COMMITTED;
    }

    private static RoundAbandonedException abandoned() {
        return new RoundAbandonedException("A command changes the champion that this round started from.");
    }

    @Override
    public void members(Set<String> keys) {
        members = keys;
        checkMembers();
    }

    /** Between two steps: the log is followed, a pause waits here. */
    @Override
    public void check() {
        checkEnd();
        if (owned.nanoClock().getAsLong() - lastNanos >= PACE.toNanos()) {
            checkErasures();
            owned.backlog().poll(Duration.ZERO);
            owned.tellWaiting(ends);
            lastNanos = owned.nanoClock().getAsLong();
        }
        if (owned.commands().pause().isPresent()) {
            pause();
        }
    }

    private void checkEnd() {
        if (stopping.getAsBoolean()) {
            throw new TrainerStoppedException();
        }
        if (standing == Standing.GIVEN_UP) {
            throw abandoned();
        }
    }

    /** In the middle of a round; others train meanwhile. */
    private void pause() {
        turns.end();
        for (Optional<String> reason = owned.commands().pause();
                reason.isPresent();
                reason = owned.commands().pause()) {
            owned.reporter().idle(Phase.PAUSED, "paused in the middle of a round: " + reason.get());
            await(Ownership.POLL);
            checkErasures();
            checkEnd();
        }
        if (!takeTurn()) {
            throw abandoned();
        }
    }

    private void await(Duration atMost) {
        try {
            owned.commands().await(atMost);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrainerStoppedException();
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
                owned.purgeWhatCame();
                owned.backlog().poll(Duration.ZERO);
                owned.tellWaiting(Map.of());
                owned.reporter().idle(Phase.WAITING, "waiting for its turn: " + turns.holder() + " trains");
                if (standing == Standing.GIVEN_UP || owned.commands().changesChampion()) {
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
