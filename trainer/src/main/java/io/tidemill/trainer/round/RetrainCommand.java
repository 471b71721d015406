package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceGoneException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The command that makes rounds again without what is erased. */
final class RetrainCommand {
    private static final Logger LOG = LoggerFactory.getLogger(RetrainCommand.class);

    private final Ownership owned;
    private final Announcements announcements;
    private final RoundWatch watch;
    private final Rounds rounds;

    RetrainCommand(Ownership owned, Announcements announcements, RoundWatch watch, Rounds rounds) {
        this.owned = owned;
        this.announcements = announcements;
        this.watch = watch;
        this.rounds = rounds;
    }

    void carryOut(Command command) throws IOException {
        if (!watch.takeTurn()) {
            owned.reporter().notDone(command, "another command changes the champion; ask again after it");
            return;
        }
        try {
            retrain(command);
        } finally {
            watch.endTurn();
        }
    }

    /**
     * Makes the rounds of the live line again, from the last version that has learned nothing of what is erased, and lets the
     * gate judge the result. Interrupted, it goes on with what it had made.
     */
    private void retrain(Command command) throws IOException {
        owned.erasures().catchUp(); // what was erased before the command was given
        owned.forgetting().purge(owned.erasures().all());
        Retraining retraining =
                new Retraining(owned.store(), owned.lineage(), owned.erasures().all());
        String id = command.getCommandId();
        List<VersionId> line = retraining.line();
        if (line.isEmpty()) {
            owned.reporter()
                    .done(
                            command,
                            "nothing to train again: " + retraining.nothingToDo() + giveUpKnowing(retraining, command));
            return;
        }
        String champion = owned.lineage().live().orElseThrow().toString();
        VersionId parent = line.get(0);
        for (VersionId of : line.subList(1, line.size())) {
            Optional<VersionId> made = retraining.made(id, of, parent);
            if (made.isPresent()) {
                parent = made.get();
                continue;
            }
            boolean last = of.equals(line.get(line.size() - 1));
            ErasurePlan.Again again = new ErasurePlan.Again(
                    of.toString(),
                    id,
                    last ? champion : "",
                    command.getRetrain().getForce());
            Optional<CheckpointEvent> event;
            try {
                event = trainAgain(again, parent, command);
            } catch (MemberErasedException e) {
                LOG.info("{} is begun anew: {}", of, e.getMessage());
                retrain(command);
                return;
            }
            if (event.isEmpty() || event.get().getState() == VersionState.REFUSED) {
                owned.reporter().notDone(command, owned.reporter().newest().getMessage());
                return;
            }
            parent = VersionId.parse(event.get().getVersion());
        }
        CheckpointEvent last = owned.lineage().event(parent.toString()).orElseThrow();
        boolean live = owned.lineage().live().equals(Optional.of(parent));
        String done = parent + " is live. " + last.getRetraining().getOf() + " made again without what is erased"
                + (last.getVerdict().getPassed() ? "." : ", by force: its gate did not pass it.");
        if (live) {
            owned.reporter().done(command, done);
        } else {
            owned.reporter().notDone(command, last.getReason());
        }
        announcements.prune();
        owned.restartBacklog();
    }

    /** What is still undecided would bring it back; says so. */
    private String giveUpKnowing(Retraining retraining, Command command) throws IOException {
        Optional<CheckpointEvent> undecided = owned.lineage().undecided();
        if (undecided.isEmpty()
                || !retraining.learned(VersionId.parse(undecided.get().getVersion()))) {
            return "";
        }
        announcements.announceDecision(announcements.givenUp("it has learned from what is erased.", command));
        return "; " + undecided.get().getVersion() + ", which waited for a decision and had, is given up";
    }

    /** One version of the line; empty where it was given up, which is told. */
    private Optional<CheckpointEvent> trainAgain(ErasurePlan.Again again, VersionId parent, Command command)
            throws IOException {
        VersionId version =
                new VersionId(owned.options().model(), owned.lineage().nextRound());
        Manifest manifest = owned.store().manifest(VersionId.parse(again.of()));
        RoundPlan plan = new RoundPlan(
                version.toString(),
                parent.toString(),
                "",
                manifest.event().getLineage().getSeed(),
                Slice.of(manifest.event().getLineage().getSlicesList()),
                Slice.EMPTY,
                WorkDirectory.JSON.treeToValue(manifest.settings(), RoundSettings.class),
                "made again from the slice of " + again.of() + ", without what is erased",
                owned.clock().millis(),
                rounds.erasurePlan(parent).as(again));
        rounds.scores().forget(plan.version());
        WorkDirectory work = WorkDirectory.begin(owned.options().rounds(), plan);
        work.record(WorkDirectory.JSON.treeToValue(manifest.origin().path("micro_batch"), MicroBatch.class));
        owned.reporter().begin(plan);
        CheckpointEvent event;
        try {
            try {
                watch.begin(work, owned.lineage().frontier(), plan.erasures().offset());
                event = rounds.runOrGiveUp(rounds.runner(plan), plan, work);
                List<CheckpointEvent> events = new ArrayList<>();
                if (event.getState() == VersionState.PROMOTED) {
                    events.addAll(announcements.givenUp("its line is trained again without what is erased.", command));
                }
                events.add(event);
                announcements.announce(events);
            } finally {
                if (watch.end()) {
                    announcements.settle();
                }
            }
        } catch (MemberErasedException e) {
            work.delete();
            throw e;
        } catch (RoundAbandonedException | SliceGoneException e) {
            work.delete();
            LOG.warn("{} is not made again: {}", again.of(), e.getMessage());
            owned.reporter().phase(Phase.FAILED, again.of() + " cannot be made again: " + e.getMessage());
            return Optional.empty();
        }
        if (event.getState() == VersionState.PROMOTED) {
            announcements.settle();
        }
        rounds.tellEnd(event);
        work.delete();
        owned.forgetting().purge(owned.erasures().all());
        return Optional.of(event);
    }
}
