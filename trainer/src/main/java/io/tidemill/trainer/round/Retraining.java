package io.tidemill.trainer.round;

import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Lineage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Which versions have to be made again so that the live one has learned nothing of what is erased. */
record Retraining(CheckpointStore store, Lineage lineage, ErasureSet erased) {
    /**
     * The version to start from, and after it those to make again, oldest first; empty where there is nothing to do.
     *
     * <p>The start is the last that learned nothing of it, or, where its weights are gone, the newest before it that has some.
     */
    List<VersionId> line() throws IOException {
        List<VersionId> ancestry = new ArrayList<>(lineage.ancestry());
        Collections.reverse(ancestry);
        int first = 0;
        while (first < ancestry.size() && !learned(ancestry.get(first))) {
            first++;
        }
        if (first == ancestry.size()) {
            return List.of();
        }
        int start = first - 1;
        while (start >= 0 && !store.hasWeights(ancestry.get(start))) {
            start--;
        }
        return start < 0 ? List.of() : ancestry.subList(start, ancestry.size());
    }

    String nothingToDo() throws IOException {
        for (VersionId version : lineage.ancestry()) {
            if (learned(version)) {
                return "no version before " + version + " has its weights any more (trainer.store.keep)";
            }
        }
        return "no version of the live line has learned from what is erased";
    }

    /** Has it learned from anything that is erased? What nobody knows of may have. */
    boolean learned(VersionId version) throws IOException {
        Forgetting forgetting = new Forgetting(store);
        return !erased.isEmpty() && (!forgetting.learned(version, erased).isEmpty() || forgetting.isUnknown(version));
    }

    /** What the same command made of a version before it was interrupted, if that still will do. */
    Optional<VersionId> made(String commandId, VersionId of, VersionId parent) throws IOException {
        for (CheckpointEvent event : lineage.events()) {
            VersionId version = VersionId.parse(event.getVersion());
            if (event.getState() == VersionState.CANDIDATE
                    && event.getRetraining().getCommandId().equals(commandId)
                    && event.getRetraining().getOf().equals(of.toString())
                    && event.getParent().equals(parent.toString())
                    && store.hasWeights(version)
                    && !learned(version)) {
                return Optional.of(version);
            }
        }
        return Optional.empty();
    }
}
