package io.tidemill.trainer.round;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.QuarantinedRecords;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says what becomes of versions, in one transaction with what follows from it, and keeps lineage and store in step with what was said. */
final class Announcements {
    private static final Logger LOG = LoggerFactory.getLogger(Announcements.class);

    private final Ownership owned;
    private final Runnable said;

    /** @param said told after each announcement */
    Announcements(Ownership owned, Runnable said) {
        this.owned = owned;
        this.said = said;
    }

    /** Makes log and store agree. */
    void recover() throws IOException {
        for (VersionId version : owned.store().versions()) {
            if (owned.lineage().event(version.toString()).isEmpty()) {
                LOG.warn("{} is in the store, but was never announced; announcing it now", version);
                Manifest manifest = owned.store().manifest(version);
                announce(manifest.announcement(owned.store().directory(version)));
            }
        }
        if (owned.lineage().empty()) {
            announce(owned.start().importBase(owned.versions()));
        }
        owned.checkStore(owned.lineage());
        owned.start()
                .checkSettings(
                        owned.store().directory(owned.lineage().live().orElseThrow()),
                        owned.lineage().live().orElseThrow().toString());
    }

    void announce(CheckpointEvent event) throws IOException {
        announce(List.of(event));
    }

    void announce(List<CheckpointEvent> events) throws IOException {
        owned.announcer().announce(events, quarantined(events));
        events.forEach(owned.lineage()::add);
        said.run();
        events.forEach(
                event -> LOG.info("version={} state={} {}", event.getVersion(), event.getState(), event.getReason()));
    }

    /** What is passed over from now on, with its evidence. */
    private List<Rejected> quarantined(List<CheckpointEvent> events) throws IOException {
        Quarantine quarantine = new Quarantine(owned.slices(), owned.clock());
        List<Rejected> records = new ArrayList<>();
        Lineage then = Lineage.of(owned.lineage().events());
        for (CheckpointEvent event : events) {
            records.addAll(quarantine.ofRanges(then.passedOver(event), event));
            if (event.getState() == VersionState.REFUSED) {
                Path state = owned.store()
                        .directory(VersionId.parse(event.getVersion()))
                        .resolve(CheckpointStore.STATE);
                records.addAll(quarantine.ofRecords(QuarantinedRecords.read(state), event));
            }
            then.add(event);
        }
        return records;
    }

    /** Announces what becomes of the undecided version, and what else follows from it. */
    void announceDecision(List<CheckpointEvent> events) throws IOException {
        announce(events);
        settle();
    }

    /** What follows from an announced decision. */
    void settle() throws IOException {
        owned.promotions().forget();
        owned.reporter().canary(Optional.empty());
        prune();
        owned.restartBacklog();
    }

    /** The event that refuses the undecided version, because another one becomes live; none where there is none. */
    List<CheckpointEvent> givenUp(String because, Command command) {
        return owned
                .lineage()
                .undecided()
                .map(event -> again(
                        owned.promotions().withFigures(event), VersionState.REFUSED, "Given up: " + because, command))
                .stream()
                .toList();
    }

    /** The event once more, in another state. */
    CheckpointEvent again(CheckpointEvent event, VersionState state, String reason, Command command) {
        return again(event, state, reason + " " + tag(command));
    }

    CheckpointEvent again(CheckpointEvent event, VersionState state, String reason) {
        return event.toBuilder()
                .setState(state)
                .setReason(reason)
                .setEventTime(Timestamps.fromMillis(owned.clock().millis()))
                .build();
    }

    /** Retention, but for what is still asked for. */
    void prune() throws IOException {
        List<VersionId> ancestry = owned.lineage().ancestry();
        Set<VersionId> kept = new HashSet<>(ancestry.subList(0, Math.min(2, ancestry.size())));
        kept.add(ancestry.get(ancestry.size() - 1));
        if (owned.usable(owned.options().round().gate().pinned())) {
            kept.add(VersionId.parse(owned.options().round().gate().pinned()));
        }
        owned.lineage().undecided().ifPresent(event -> kept.add(VersionId.parse(event.getVersion())));
        Instant oldest =
                owned.options().keepFor().map(owned.clock().instant()::minus).orElse(Instant.MIN);
        owned.store().prune(owned.options().keep(), oldest, kept);
    }

    /** What the reason of an event says of the command behind it. */
    static String tag(Command command) {
        return "(command " + command.getCommandId() + ")";
    }
}
