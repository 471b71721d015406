package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.trainer.slice.Slice;
import java.util.Optional;

/**
 * A round, frozen before it starts: with the same plan the result is the same, whatever was interrupted.
 *
 * @param version        that will come of it
 * @param parent         champion it starts from
 * @param pinned         ancestor that the gate compares with too; empty where that is the champion itself
 * @param seed           of the order of examples and of the gate's resampling
 * @param onTrialAgain   the slice, if it was refused once already
 * @param reason         why it was started
 * @param startedMillis  since the epoch
 * @param erasures       what is left out as erased; plans of older programs leave out nothing
 */
public record RoundPlan(
        String version,
        String parent,
        String pinned,
        long seed,
        Slice slice,
        Slice onTrialAgain,
        RoundSettings settings,
        String reason,
        long startedMillis,
        ErasurePlan erasures) {

    public RoundPlan {
        erasures = erasures == null ? ErasurePlan.NONE : erasures;
    }

    public VersionId versionId() {
        return VersionId.parse(version);
    }

    public VersionId parentId() {
        return VersionId.parse(parent);
    }

    public Optional<VersionId> pinnedId() {
        return pinned.isEmpty() ? Optional.empty() : Optional.of(VersionId.parse(pinned));
    }

    public long round() {
        return versionId().round();
    }
}
