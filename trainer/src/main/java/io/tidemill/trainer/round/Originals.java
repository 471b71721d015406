package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import java.io.IOException;

/**
 * Which versions stand for which: a round that makes a version again has other numbers around it, and whatever depends on a
 * number has to depend on the one of then.
 */
record Originals(CheckpointStore store) {
    /** The version that the plan's round was first; its own where it is no retraining. */
    VersionId version(RoundPlan plan) throws IOException {
        VersionId version = plan.versionId();
        String of = plan.erasures().retraining().map(ErasurePlan.Again::of).orElse("");
        while (!of.isEmpty()) {
            version = VersionId.parse(of);
            of = event(version).getRetraining().getOf();
        }
        return version;
    }

    /** The champion that the plan's round first started from: answers are as old as it is newer. */
    VersionId champion(RoundPlan plan) throws IOException {
        return plan.erasures().retraining().isEmpty()
                ? plan.parentId()
                : VersionId.parse(event(version(plan)).getParent());
    }

    /** What an ancestor was called when the plan's round was first. */
    VersionId name(VersionId ancestor, RoundPlan plan) throws IOException {
        VersionId name = ancestor;
        String of = plan.erasures().retraining().map(ErasurePlan.Again::of).orElse("");
        while (!of.isEmpty()) {
            String before = event(name).getRetraining().getOf();
            name = before.isEmpty() ? name : VersionId.parse(before);
            of = event(VersionId.parse(of)).getRetraining().getOf();
        }
        return name;
    }

    private CheckpointEvent event(VersionId version) throws IOException {
        return store.manifest(version).event();
    }
}
