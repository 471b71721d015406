package io.tidemill.trainer.promotion;

import io.tidemill.proto.v1.VersionState;

/** What becomes of a version that passed its gate. */
public enum Policy {
    /** It serves. */
    AT_ONCE(VersionState.PROMOTED),
    /** It answers a share of the conversations until their ratings decide. */
    CANARY(VersionState.CANARY),
    /** It waits for a person. */
    BY_HAND(VersionState.CANDIDATE);

    private final VersionState announced;

    Policy(VersionState announced) {
        this.announced = announced;
    }

    /** State that the version is announced in. */
    public VersionState announced() {
        return announced;
    }
}
