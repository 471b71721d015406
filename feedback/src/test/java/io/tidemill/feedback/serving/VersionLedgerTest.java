package io.tidemill.feedback.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.VersionState;
import org.junit.jupiter.api.Test;

class VersionLedgerTest {
    private final VersionLedger ledger = new VersionLedger("m");

    @Test
    void theNewestPromotedVersionIsLive() {
        apply(0, VersionState.PROMOTED);
        apply(1, VersionState.PROMOTED);
        apply(2, VersionState.REFUSED);
        apply(3, VersionState.CANDIDATE);
        assertThat(live()).isEqualTo("m-000001");
    }

    @Test
    void aRollbackMakesTheParentLiveAndAnotherOneTheParentsParent() {
        apply(0, VersionState.PROMOTED);
        apply(1, VersionState.PROMOTED);
        apply(2, VersionState.PROMOTED);
        apply(2, VersionState.ROLLED_BACK);
        assertThat(live()).isEqualTo("m-000001");
        apply(1, VersionState.ROLLED_BACK);
        assertThat(live()).isEqualTo("m-000000");
    }

    @Test
    void aVersionPromotedAgainAfterARollbackIsLive() {
        apply(0, VersionState.PROMOTED);
        apply(1, VersionState.PROMOTED);
        apply(1, VersionState.ROLLED_BACK);
        apply(1, VersionState.PROMOTED);
        assertThat(live()).isEqualTo("m-000001");
    }

    @Test
    void aRollbackOfAVersionThatIsNotLiveChangesNothing() {
        apply(0, VersionState.PROMOTED);
        apply(1, VersionState.PROMOTED);
        apply(0, VersionState.ROLLED_BACK);
        assertThat(live()).isEqualTo("m-000001");
    }

    @Test
    void aRollbackOfTheOnlyVersionLeavesNothingToServe() {
        apply(0, VersionState.PROMOTED);
        apply(0, VersionState.ROLLED_BACK);
        assertThat(ledger.live()).isEmpty();
    }

    @Test
    void theNewestCanaryOfTheLiveVersionAnswersBesideItUntilAnythingElseIsSaidOfIt() {
        apply(0, VersionState.PROMOTED);
        assertThat(ledger.canary()).isEmpty();
        apply(1, VersionState.CANARY);
        assertThat(ledger.canary().orElseThrow().getVersion()).isEqualTo("m-000001");
        assertThat(live()).isEqualTo("m-000000");
        apply(1, VersionState.REFUSED);
        assertThat(ledger.canary()).isEmpty();
        apply(1, VersionState.CANARY);
        apply(1, VersionState.PROMOTED);
        assertThat(ledger.canary()).isEmpty();
        apply(2, VersionState.CANARY);
        apply(1, VersionState.ROLLED_BACK); // the canary was trained from it
        assertThat(ledger.canary()).isEmpty();
        assertThat(live()).isEqualTo("m-000000");
    }

    @Test
    void aRollbackWouldServeTheNearestPromotedAncestor() {
        apply(0, VersionState.PROMOTED);
        assertThat(ledger.afterRollback()).isEmpty();
        apply(1, VersionState.PROMOTED);
        apply(2, VersionState.PROMOTED);
        assertThat(ledger.afterRollback().orElseThrow().getVersion()).isEqualTo("m-000001");
        apply(2, VersionState.ROLLED_BACK);
        assertThat(ledger.afterRollback().orElseThrow().getVersion()).isEqualTo("m-000000");
    }

    @Test
    void anotherModelsVersionsAreNotOurs() {
        ledger.apply(CheckpointEvent.newBuilder()
                .setModel("other")
                .setVersion("other-000000")
                .setState(VersionState.PROMOTED)
                .build());
        assertThat(ledger.live()).isEmpty();
        assertThat(ledger.versions()).isEmpty();
    }

    @Test
    void aShortEventKeepsTheFilesAndTheVerdictOfTheLongOneBeforeIt() {
        ledger.apply(event(0, VersionState.PROMOTED)
                .setVerdict(GateVerdict.newBuilder().setSummary("fine"))
                .build());
        ledger.apply(CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion("m-000000")
                .setState(VersionState.ROLLED_BACK)
                .build());
        CheckpointEvent version = ledger.versions().get(0);
        assertThat(version.getState()).isEqualTo(VersionState.ROLLED_BACK);
        assertThat(version.getFilesList()).hasSize(1);
        assertThat(version.getVerdict().getSummary()).isEqualTo("fine");
    }

    private void apply(int round, VersionState state) {
        ledger.apply(event(round, state).build());
    }

    private static CheckpointEvent.Builder event(int round, VersionState state) {
        return CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion("m-00000" + round)
                .setParent(round == 0 ? "" : "m-00000" + (round - 1))
                .setState(state)
                .addFiles(FileDigest.newBuilder().setPath("config.json"));
    }

    private String live() {
        return ledger.live().orElseThrow().getVersion();
    }
}
