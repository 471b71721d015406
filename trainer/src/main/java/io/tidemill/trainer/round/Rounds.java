package io.tidemill.trainer.round;

import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.model.engine.Threads;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.trainer.checkpoint.FencedException;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.gate.ScoreCache;
import io.tidemill.trainer.reward.RewardException;
import io.tidemill.trainer.round.RoundTrigger.Due;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceGoneException;
import io.tidemill.trainer.slice.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Plans rounds over what waits, runs them, and goes on with those that were interrupted. */
final class Rounds {
    private static final Logger LOG = LoggerFactory.getLogger(Rounds.class);
    private static final int ATTEMPTS = 3;

    private final Ownership owned;
    private final Announcements announcements;
    private final RoundWatch watch;
    private final Arithmetic arithmetic;
    private final TrainerOptions options;
    private final Clock clock;
    private final LongSupplier nanoClock;

    /** @param arithmetic what the engine is asked through */
    Rounds(Ownership owned, Announcements announcements, RoundWatch watch, Arithmetic arithmetic) {
        this.owned = owned;
        this.announcements = announcements;
        this.watch = watch;
        this.arithmetic = arithmetic;
        this.options = owned.options();
        this.clock = owned.clock();
        this.nanoClock = owned.nanoClock();
    }

    /**
     * @param answered the command that asked for it, if one did: it is done as soon as the plan is kept
     * @return false where a command that changes the champion came first, or the round was given up for it
     */
    boolean startRound(Due due, Optional<Command> answered) throws IOException {
        if (!watch.takeTurn()) {
            return false;
        }
        try {
            return startRoundNow(due, answered);
        } finally {
            watch.endTurn();
        }
    }

    private boolean startRoundNow(Due due, Optional<Command> answered) throws IOException {
        VersionId version = new VersionId(options.model(), owned.lineage().nextRound());
        boolean again = !owned.lineage().retries().isEmpty();
        Slice slice = again ? retry(owned.lineage().retries().get(0)) : newSlice(due);
        RoundPlan plan = new RoundPlan(
                version.toString(),
                owned.lineage().live().orElseThrow().toString(),
                pinned(),
                seed(version),
                slice,
                again ? slice : Slice.EMPTY,
                options.round(),
                again
                        ? "what was refused before is tried once more, split in two: " + slice + "; " + due.reason()
                        : due.reason(),
                clock.millis(),
                erasurePlan(owned.lineage().live().orElseThrow()));
        scores().forget(plan.version()); // of a round that had the number and was given up
        WorkDirectory work = WorkDirectory.begin(options.rounds(), plan);
        if (answered.isPresent()) {
            owned.commands().done(answered.get());
        }
        return runRound(plan, work);
    }

    private Slice newSlice(Due due) {
        Map<TopicPartition, Long> ends = due.within(
                options.limits().ends(owned.backlog().waiting(), owned.backlog().positions()));
        return Lineage.slice(owned.backlog().from(), ends);
    }

    /** Without what the log no longer holds, unless that is all of it: then the round says so. */
    private Slice retry(Slice refused) {
        Slice left = refused.beyond(owned.backlog().from());
        return left.empty() ? refused : left;
    }

    /** All that is erased by now; told with what it concerns, where the parent did not know of it. */
    ErasurePlan erasurePlan(VersionId parent) throws IOException {
        owned.erasures().catchUp();
        owned.forgetting().purge(owned.erasures().all());
        long known = owned.store().manifest(parent).event().getLineage().getErasuresOffset();
        return new ErasurePlan(
                owned.erasures().offset(),
                owned.forgetting().of(owned.erasures().from(known)),
                null);
    }

    /** What the gate compares with beside the champion; empty where that is the champion. */
    private String pinned() {
        List<VersionId> ancestry = owned.lineage().ancestry();
        String chosen = options.round().gate().pinned();
        String pinned = chosen.isEmpty() ? ancestry.get(ancestry.size() - 1).toString() : chosen;
        if (!owned.usable(pinned)) {
            throw new IllegalStateException("trainer.gate.pinned is " + pinned
                    + ", but the store has no weights of it; name a version that has them, or leave it empty.");
        }
        return pinned.equals(ancestry.get(0).toString()) ? "" : pinned;
    }

    private long seed(VersionId version) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest((options.seed() + "/" + version).getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(hash).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }

    /** Goes on with a round that was begun, unless it is over or its champion is gone. */
    void resume(WorkDirectory work) throws IOException {
        RoundPlan plan = work.plan();
        boolean over = owned.lineage().event(plan.version()).isPresent();
        boolean pointless = !owned.lineage().live().equals(Optional.of(plan.parentId()));
        if (over || pointless) {
            work.delete();
            return;
        }
        if (!watch.takeTurn()) {
            work.delete(); // the command gives up the round anyway
            return;
        }
        try {
            LOG.info("round={} goes on after an interruption", plan.round());
            runRound(plan, work);
        } finally {
            watch.endTurn();
        }
    }

    RoundRunner runner(RoundPlan plan) throws IOException {
        ExampleReader reader =
                owned.shape().reader(owned.topics(), plan.settings(), new Originals(owned.store()).champion(plan));
        return new RoundRunner(
                owned.store(),
                new SliceExamples(
                        owned.store(),
                        owned.slices(),
                        reader.without(owned.erasures().before(plan.erasures().offset()))),
                scores(),
                owned.versions(),
                owned.reporter(),
                watch,
                arithmetic,
                nanoClock);
    }

    /** @return false where it was given up for a command that changes the champion */
    private boolean runRound(RoundPlan plan, WorkDirectory work) throws IOException {
        Threads.intraOp(plan.settings().threads()); // of this thread
        owned.reporter().begin(plan);
        RoundRunner runner = runner(plan);
        boolean changed = false;
        boolean overtaken = false;
        try {
            CheckpointEvent event;
            try {
                watch.begin(work, plan.slice().ends(), plan.erasures().offset());
                event = runOrGiveUp(runner, plan, work);
                announcements.announce(event);
            } finally {
                changed = watch.end();
            }
            work.delete();
            tellEnd(event);
            tidyUp();
        } catch (SliceGoneException e) {
            LOG.warn("round={} is given up: {}", plan.round(), e.getMessage());
            if (!changed && !plan.onTrialAgain().empty()) {
                announcements.announce(runner.giveUp(plan, e.getMessage())); // or it would be tried for ever
            }
            owned.reporter().phase(Phase.FAILED, e.getMessage());
            work.delete();
        } catch (RoundAbandonedException e) {
            LOG.warn("round={} is given up: {}", plan.round(), e.getMessage());
            overtaken = true;
            owned.reporter().phase(Phase.FAILED, e.getMessage());
            work.delete();
        } catch (MemberErasedException e) {
            LOG.info("round={} begins again: {}", plan.round(), e.getMessage());
            owned.reporter().phase(Phase.READING, e.getMessage());
            work.delete();
            if (!changed) {
                startAgain(plan);
            }
        } catch (NoMemoryException e) {
            work.delete(); // planned anew, with the settings of then, when somebody starts the trainer again
            throw e;
        }
        if (changed) {
            announcements.settle();
        } else if (!owned.commands().changesChampion()) { // which comes first, and does it too
            owned.restartBacklog();
        }
        return !overtaken && !changed;
    }

    /** Nothing is kept of older rounds that no later one asks for. */
    private void tidyUp() throws IOException {
        owned.takeInErasures();
        owned.forgetting().purge(owned.erasures().all()); // the newest version's suites among them
        List<String> kept = new ArrayList<>();
        owned.lineage().ancestry().stream().limit(2).forEach(version -> kept.add(version.toString()));
        kept.add(pinned());
        owned.lineage().undecided().ifPresent(waiting -> kept.add(waiting.getVersion()));
        scores().keepOnly(kept);
        announcements.prune();
    }

    /** Plans a round anew, if there is still something to learn. */
    private void startAgain(RoundPlan plan) throws IOException {
        owned.restartBacklog();
        owned.catchUp();
        if (owned.backlog().waiting().stream().anyMatch(Waiting::trainable)) {
            startRound(new Due(plan.reason(), plan.slice().ends()), Optional.empty());
        }
    }

    ScoreCache scores() {
        return new ScoreCache(options.rounds().resolve("scores"));
    }

    CheckpointEvent runOrGiveUp(RoundRunner runner, RoundPlan plan, WorkDirectory work) throws IOException {
        try {
            return runner.run(plan, work, Lineage.of(owned.lineage().events()));
        } catch (KafkaException
                | FencedException
                | TrainerStoppedException
                | RoundAbandonedException
                | MemberErasedException
                | SliceGoneException
                | NoMemoryException
                | UncheckedIOException e) {
            throw e;
        } catch (NativeMemoryException e) { // of weights: it is not the records' fault
            if (work.failed() < ATTEMPTS) {
                throw e;
            }
            throw new NoMemoryException(
                    "Round " + plan.round() + " does not fit into memory: " + e.getMessage() + ", for weights, "
                            + ATTEMPTS + " times in a row. The champion " + plan.parent() + " stays, and the records"
                            + " wait. Take a smaller base model, train an adapter (trainer.adapter.rank), or give the"
                            + " process more memory, and start the trainer again.",
                    e);
        } catch (RewardException e) {
            if (e.getCause() instanceof IOException) { // who judges is away: it is not the records' fault
                throw e;
            }
            return again(runner, plan, work, e);
        } catch (RuntimeException e) {
            return again(runner, plan, work, e);
        }
    }

    /** Throws, for another attempt, or refuses the round after the last. */
    private static CheckpointEvent again(RoundRunner runner, RoundPlan plan, WorkDirectory work, RuntimeException e)
            throws IOException {
        if (work.failed() < ATTEMPTS) {
            throw e;
        }
        LOG.error("round={} is refused after {} attempts", plan.round(), ATTEMPTS, e);
        return runner.giveUp(plan, "The round failed " + ATTEMPTS + " times, last with: " + e);
    }

    void tellEnd(CheckpointEvent event) {
        double accuracy = event.getVerdict().getSuitesList().stream()
                .filter(suite -> suite.getSuite().equals("preference-accuracy")
                        && suite.getAgainst().isEmpty())
                .mapToDouble(SuiteResult::getAfter)
                .findFirst()
                .orElse(0);
        Phase phase =
                switch (event.getState()) {
                    case PROMOTED -> Phase.PROMOTED_PHASE;
                    case REFUSED -> Phase.REFUSED_PHASE;
                    default -> Phase.WAITING; // for a decision
                };
        owned.reporter().end(phase, event.getVerdict(), accuracy, event.getReason());
    }
}
