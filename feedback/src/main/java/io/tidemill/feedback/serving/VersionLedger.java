package io.tidemill.feedback.serving;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The events of one model's versions in the order of the log, and what follows from them: which version should answer.
 *
 * <p>That is the newest promoted one. After a rollback it is the version that is promoted again, and until such an event
 * comes, the nearest ancestor that was promoted and not rolled back.
 */
public final class VersionLedger {
    private final String model;
    private final Map<String, CheckpointEvent> newest = new LinkedHashMap<>();
    private final Map<String, CheckpointEvent> withFiles = new HashMap<>();
    private final Set<String> promoted = new HashSet<>();
    private String live = "";

    public VersionLedger(String model) {
        this.model = model;
    }

    /** Takes the next event in; events of other models change nothing. */
    public synchronized void apply(CheckpointEvent event) {
        if (!event.getModel().equals(model)) {
            return;
        }
        String version = event.getVersion();
        newest.put(version, event);
        if (event.getFilesCount() > 0) {
            withFiles.put(version, event);
        }
        if (event.getState() == VersionState.PROMOTED) {
            promoted.add(version);
            live = version;
        } else if (event.getState() == VersionState.ROLLED_BACK) {
            promoted.remove(version);
            if (live.equals(version)) {
                live = promotedAncestor(version);
            }
        }
    }

    private String promotedAncestor(String version) {
        Set<String> seen = new HashSet<>();
        String ancestor = version;
        while (seen.add(ancestor)) {
            CheckpointEvent event = newest.get(ancestor);
            ancestor = event == null ? "" : event.getParent();
            if (ancestor.isEmpty() || promoted.contains(ancestor)) {
                return ancestor;
            }
        }
        return "";
    }

    /** The event of the version that should answer, with its files. */
    public synchronized Optional<CheckpointEvent> live() {
        return Optional.ofNullable(withFiles.get(live));
    }

    /** The live version and its ancestors, newest first, each with what its events say of it. */
    public synchronized List<CheckpointEvent> ancestry() {
        List<CheckpointEvent> ancestry = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String version = live; seen.add(version) && newest.containsKey(version); ) {
            CheckpointEvent event = newest.get(version);
            CheckpointEvent files = withFiles.get(version);
            ancestry.add(files == null ? event : withWhatOnlyTheOlderSays(event, files));
            version = event.getParent();
        }
        return ancestry;
    }

    /** The newest event of the version that should answer a share of the conversations beside the live one. */
    public synchronized Optional<CheckpointEvent> canary() {
        return newest.values().stream()
                .filter(event -> event.getState() == VersionState.CANARY
                        && event.getFilesCount() > 0
                        && event.getParent().equals(live))
                .reduce((older, newer) -> newer);
    }

    /** The event of the version that would answer after a rollback, with its files. */
    public synchronized Optional<CheckpointEvent> afterRollback() {
        return Optional.ofNullable(withFiles.get(promotedAncestor(live)));
    }

    /** The newest event of each version, oldest version first, with the files' place where only an older event has it. */
    public synchronized List<CheckpointEvent> versions() {
        List<CheckpointEvent> versions = new ArrayList<>();
        for (CheckpointEvent event : newest.values()) {
            CheckpointEvent files = withFiles.get(event.getVersion());
            versions.add(files == null ? event : withWhatOnlyTheOlderSays(event, files));
        }
        return versions;
    }

    private static CheckpointEvent withWhatOnlyTheOlderSays(CheckpointEvent event, CheckpointEvent older) {
        CheckpointEvent.Builder merged = event.toBuilder();
        if (event.getFilesCount() == 0) {
            merged.addAllFiles(older.getFilesList()).setFilesUrl(older.getFilesUrl());
        }
        if (!event.hasVerdict() && older.hasVerdict()) {
            merged.setVerdict(older.getVerdict());
        }
        if (!event.hasLineage() && older.hasLineage()) {
            merged.setLineage(older.getLineage());
        }
        if (event.getMetricsCount() == 0) {
            merged.putAllMetrics(older.getMetricsMap());
        }
        if (!event.hasAccount() && older.hasAccount()) {
            merged.setAccount(older.getAccount());
        }
        if (!event.hasCanary() && older.hasCanary()) {
            merged.setCanary(older.getCanary());
        }
        return merged.build();
    }
}
