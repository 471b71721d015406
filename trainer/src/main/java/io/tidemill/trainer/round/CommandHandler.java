package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.round.RoundTrigger.Due;
import io.tidemill.trainer.slice.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.record.TimestampType;

/** Carries out what people ask of the trainer, one after the other; each says on the page what became of it. */
final class CommandHandler {
    private static final String BY_COMMAND = "asked for by a command";
    private static final String OVERTAKEN = "another command changes the champion first; ask again after it";

    private final Ownership owned;
    private final Announcements announcements;
    private final Rounds rounds;
    private final RetrainCommand retraining;

    CommandHandler(Ownership owned, Announcements announcements, Rounds rounds, RetrainCommand retraining) {
        this.owned = owned;
        this.announcements = announcements;
        this.rounds = rounds;
        this.retraining = retraining;
    }

    void carryOutAll() throws IOException {
        for (Optional<Command> next = owned.commands().next();
                next.isPresent();
                next = owned.commands().next()) {
            Command command = next.get();
            if (!wasCarriedOut(command)) {
                carryOut(command);
            }
            owned.commands().done(command);
        }
    }

    /** Also where a crash came before its being done was written down. */
    private boolean wasCarriedOut(Command command) {
        return !command.getCommandId().isEmpty()
                && owned.lineage().events().stream()
                        .anyMatch(event -> event.getReason().contains(Announcements.tag(command)));
    }

    /**
     * Carries out what changes the champion, before its turn and while a round runs; what follows from it is left to the trainer's thread
     * ({@link Announcements#settle}). The round goes on where a command cannot be carried out.
     *
     * @param giveUp the round, which starts from a champion that will not be it any more
     */
    void changeChampion(Runnable giveUp) {
        try {
            for (Command command : owned.commands().championChanges()) {
                if (!wasCarriedOut(command)) {
                    Optional<List<CheckpointEvent>> changes = changes(command);
                    if (changes.isPresent()) {
                        giveUp.run();
                        announcements.announce(changes.get());
                        owned.commands().overtook(command);
                    } else {
                        owned.reporter().notDone(command, cannot(command));
                    }
                }
                owned.commands().done(command);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void carryOut(Command command) throws IOException {
        switch (command.getKindCase()) {
            case START_ROUND ->
                startOnCommand(command)
                        .ifPresent(why -> owned.reporter().notDone(command, "a round was asked for, but " + why));
            case PROMOTE, ROLLBACK -> {
                Optional<List<CheckpointEvent>> changes = changes(command);
                if (changes.isPresent()) {
                    announcements.announceDecision(changes.get());
                } else {
                    owned.restartBacklog(); // a round may have been given up for it
                    owned.reporter().notDone(command, cannot(command));
                }
            }
            case RELEASE -> release(command);
            case RETRAIN -> retraining.carryOut(command);
            default -> {}
        }
    }

    /**
     * What was refused before is tried first, then what is new; the command is done when that has begun.
     *
     * @return why there was no round; empty where there was
     */
    private Optional<String> startOnCommand(Command command) throws IOException {
        Optional<CheckpointEvent> undecided = owned.lineage().undecided();
        if (undecided.isPresent()) {
            return Optional.of(owned.promotions().told(undecided.get()));
        }
        owned.catchUp();
        boolean tried = !owned.lineage().retries().isEmpty();
        for (int left = -1;
                left != owned.lineage().retries().size()
                        && !owned.lineage().retries().isEmpty()
                        && owned.lineage().undecided().isEmpty();
                owned.catchUp()) {
            left = owned.lineage().retries().size();
            if (!rounds.startRound(new Due(BY_COMMAND, Map.of()), Optional.empty())) {
                return Optional.of(OVERTAKEN);
            }
        }
        List<String> stages = command.getStartRound().getStagesList();
        List<Waiting> fresh = owned.backlog().beyond(owned.lineage().frontier());
        Due due = stages.isEmpty()
                ? new Due(BY_COMMAND, Map.of())
                : Due.forStages(BY_COMMAND + ", for " + stages, stages, fresh);
        if (owned.lineage().retries().isEmpty() && owned.lineage().undecided().isEmpty() && due.hasWork(fresh)) {
            if (!rounds.startRound(due, Optional.of(command))) {
                return Optional.of(OVERTAKEN);
            }
        } else if (!tried) {
            return Optional.of("there is nothing new to train on"
                    + (stages.isEmpty() ? "" : " for " + stages + " before what waits for other stages"));
        }
        return Optional.empty();
    }

    /** What is to be announced for a command that changes the champion; empty where it cannot be carried out. */
    private Optional<List<CheckpointEvent>> changes(Command command) throws IOException {
        return command.hasPromote() ? promotion(command) : rollback(command);
    }

    private Optional<List<CheckpointEvent>> rollback(Command command) throws IOException {
        CheckpointEvent live = live();
        String target = target(command);
        Optional<CheckpointEvent> undecided =
                owned.lineage().undecided().filter(event -> event.getVersion().equals(target));
        if (undecided.isPresent()) {
            return Optional.of(List.of(announcements.again(
                    owned.promotions().withFigures(undecided.get()),
                    VersionState.REFUSED,
                    "Declined by hand: " + command.getRollback().getReason(),
                    command)));
        }
        if (target.isEmpty() || target.equals(live.getVersion()) || !owned.usable(target)) {
            return Optional.empty();
        }
        List<CheckpointEvent> events =
                new ArrayList<>(announcements.givenUp("the version that it was trained from is rolled back.", command));
        events.add(announcements.again(
                live,
                VersionState.ROLLED_BACK,
                "Rolled back: " + command.getRollback().getReason(),
                command));
        if (!target.equals(live.getParent()) || !wasLive(target)) {
            events.add(announcements.again(
                    owned.lineage().event(target).orElseThrow(),
                    VersionState.PROMOTED,
                    "Live again after a rollback",
                    command));
        }
        return Optional.of(events);
    }

    private CheckpointEvent live() {
        return owned.lineage()
                .event(owned.lineage().live().orElseThrow().toString())
                .orElseThrow();
    }

    private String target(Command rollback) {
        String named = rollback.getRollback().getVersion();
        return named.isEmpty() ? live().getParent() : named;
    }

    private String cannot(Command command) {
        if (command.hasPromote()) {
            return "cannot promote '" + command.getPromote().getVersion()
                    + "': it is live already, or its weights are not in the store";
        }
        String from = "cannot roll back from " + live().getVersion();
        return target(command).isEmpty()
                ? from + ": it is the first version of its lineage"
                : from + " to '" + target(command) + "': it is live, or its weights are not in the store";
    }

    /** A parent that was made on the way to its child never was, and whoever follows the events does not take it for such. */
    private boolean wasLive(String version) {
        return owned.lineage().events().stream()
                .anyMatch(event -> event.getVersion().equals(version) && event.getState() == VersionState.PROMOTED);
    }

    private Optional<List<CheckpointEvent>> promotion(Command command) throws IOException {
        String version = command.getPromote().getVersion();
        if (!owned.usable(version)
                || owned.lineage().live().map(VersionId::toString).equals(Optional.of(version))) {
            return Optional.empty();
        }
        CheckpointEvent promoted =
                owned.promotions().withFigures(owned.lineage().event(version).orElseThrow());
        List<CheckpointEvent> events = new ArrayList<>();
        if (owned.lineage()
                .undecided()
                .filter(event -> event.getVersion().equals(version))
                .isEmpty()) {
            events.addAll(announcements.givenUp(version + " is promoted by hand.", command));
        }
        events.add(announcements.again(promoted, VersionState.PROMOTED, "promoted by hand", command));
        return Optional.of(events);
    }

    /** Quarantined records wait again, as new ones; one that has been trained since is a repeat. */
    private void release(Command command) throws IOException {
        String version = command.getRelease().getVersion();
        owned.erasures().catchUp();
        ExampleReader reader = owned.exampleReader(owned.options().round())
                .without(owned.erasures().all());
        List<ProducerRecord<byte[], byte[]>> records = new Quarantine(owned.slices(), owned.clock())
                .release(owned.clients().whole(owned.topics().quarantine()), version).stream()
                        .filter(record -> !isErased(record, reader))
                        .toList();
        if (records.isEmpty()) {
            owned.reporter().notDone(command, "cannot release '" + version + "': it has no records in the quarantine");
            return;
        }
        owned.announcer().write(records);
        owned.reporter().done(command, records.size() + " records that " + version + " sent to quarantine wait again");
    }

    private static boolean isErased(ProducerRecord<byte[], byte[]> record, ExampleReader reader) {
        return reader.read(new ConsumerRecord<>(
                        record.topic(),
                        0,
                        0,
                        ConsumerRecord.NO_TIMESTAMP,
                        TimestampType.NO_TIMESTAMP_TYPE,
                        ConsumerRecord.NULL_SIZE,
                        ConsumerRecord.NULL_SIZE,
                        record.key(),
                        record.value(),
                        record.headers(),
                        Optional.empty()))
                .stage()
                .equals(Stages.ERASED);
    }
}
