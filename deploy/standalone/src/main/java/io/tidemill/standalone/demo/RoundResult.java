package io.tidemill.standalone.demo;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.VersionState;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What one round did.
 *
 * @param event         the trainer's announcement with the gate's verdict
 * @param toFirstAnswer from the round's first feedback event to the first answer of the new version; empty where the
 *                      gate refused it, or the round had no feedback
 */
record RoundResult(CheckpointEvent event, Optional<Duration> toFirstAnswer) {
    static final String HELD_OUT_LOSS = "held-out-loss";
    static final String PREFERENCE_ACCURACY = "preference-accuracy";

    boolean promoted() {
        return event.getState() == VersionState.PROMOTED;
    }

    /** What the gate found against the version before. */
    Optional<SuiteResult> suite(String name) {
        return comparisons(name).filter(suite -> suite.getAgainst().isEmpty()).findFirst();
    }

    /** What the gate found against the first version of the lineage; in the first round that is the version before. */
    Optional<SuiteResult> suiteSinceStart(String name) {
        return comparisons(name)
                .max(Comparator.comparing(suite -> !suite.getAgainst().isEmpty()));
    }

    private Stream<SuiteResult> comparisons(String name) {
        return event.getVerdict().getSuitesList().stream()
                .filter(suite -> suite.getSuite().equals(name));
    }
}
