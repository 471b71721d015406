package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.data.Stages;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What becomes of commands while a round runs that hears nothing, on a real broker. */
class RollbackInRoundsTest extends TrainerRig {
    private static Path base;

    private Hang hang;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private Trainer hangingIn(long round, TestLog log) {
        hang = new Hang("tiny-00000" + round);
        return start(options(log, data, settings(0.01), base, Optional::empty, List.of(hang)), System::nanoTime);
    }

    private static void promote(TestLog log) {
        promote(log, "tiny-000001");
    }

    private static List<VersionState> statesOf(String version, TestLog log) {
        return log.checkpoints().stream()
                .filter(event -> event.getVersion().equals(version))
                .map(CheckpointEvent::getState)
                .toList();
    }

    private void firstRound(TestLog log) {
        log.documents(0, 10, 100);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
    }

    private void hangingRound(int from, TestLog log) {
        log.documents(from, from + 10, 100);
        log.startRound(MODEL);
        hang.await();
    }

    @Test
    void aRollbackWaitsForNoRoundAndWhatTheRoundMadeIsNoVersion() {
        TestLog log = log(base);
        Trainer trainer = hangingIn(2, log);
        firstRound(log);
        hangingRound(10, log);

        rollback(log);
        awaitVersion(log, 1, VersionState.ROLLED_BACK);
        assertThat(trainer.status().events()).hasSize(3);
        assertThat(data.resolve("rounds/tiny/tiny-000002/given-up")).exists();
        hang.goOn();

        awaitMessage(log, "A command changes the champion that this round started from.");
        await().atMost(LONG).untilAsserted(() -> assertThat(data.resolve("rounds/tiny/tiny-000002"))
                .doesNotExist());
        assertThat(directory(data, 2)).doesNotExist();
        log.startRound(MODEL);
        CheckpointEvent half = awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(half.getParent()).isEqualTo("tiny-000000");
        CheckpointEvent last = awaitVersion(log, 4, VersionState.PROMOTED);
        assertThat(last.getLineage().getExamplesMap()).containsEntry(Stages.PRETRAIN, 8L); // what the round had
    }

    @Test
    void oneThatIsTakenBackBeforeTheRoundNoticesEndsItAllTheSame() {
        TestLog log = log(base);
        hangingIn(2, log);
        firstRound(log);
        hangingRound(10, log);

        rollback(log);
        promote(log);
        await().atMost(LONG).until(() -> statesOf("tiny-000001", log)
                .equals(List.of(VersionState.PROMOTED, VersionState.ROLLED_BACK, VersionState.PROMOTED)));
        hang.goOn();

        awaitMessage(log, "A command changes the champion that this round started from.");
        log.startRound(MODEL);
        CheckpointEvent second = awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(second.getParent()).isEqualTo("tiny-000001");
        assertThat(second.getLineage().getExamplesMap()).containsEntry(Stages.PRETRAIN, 8L);
    }

    @Test
    void aRoundThatWasAskedForBeforeTheRollbackIsNotRunAfterIt() {
        TestLog log = log(base);
        hangingIn(2, log);
        firstRound(log);
        hangingRound(10, log);

        log.startRound(MODEL);
        rollback(log);
        awaitVersion(log, 1, VersionState.ROLLED_BACK);
        Command.Builder release = Command.newBuilder().setModel(MODEL);
        release.getReleaseBuilder().setVersion("nothing");
        log.command(release);
        hang.goOn();

        awaitNotice(log, "cannot release 'nothing'"); // told when all before it is done
        assertThat(statesOf("tiny-000002", log)).isEmpty();
    }

    @Test
    void oneThatCannotBeCarriedOutIsToldAtOnceAndTheRoundGoesOn() {
        TestLog log = log(base);
        hangingIn(1, log);
        hangingRound(0, log);

        rollback(log);
        awaitNotice(log, "cannot roll back from tiny-000000: it is the first version of its lineage");
        hang.goOn();

        awaitVersion(log, 1, VersionState.PROMOTED);
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        assertThat(awaitVersion(log, 2, VersionState.PROMOTED).getParent()).isEqualTo("tiny-000001");
    }

    @Test
    void itIsCarriedOutOnceAlsoWhereNobodyWroteDownThatItWas() throws Exception {
        TestLog log = log(base);
        Trainer trainer = hangingIn(3, log);
        firstRound(log);
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        awaitVersion(log, 2, VersionState.PROMOTED);
        hangingRound(20, log);
        rollback(log);
        awaitVersion(log, 2, VersionState.ROLLED_BACK);
        hang.goOn();
        trainer.close();

        Files.delete(data.resolve("rounds/tiny/commands.offset"));
        promote(log, "nothing"); // told when all before it is done
        start(options(log, data, settings(0.01), base), System::nanoTime);
        awaitNotice(log, "cannot promote 'nothing'");
        assertThat(statesOf("tiny-000001", log)).containsExactly(VersionState.PROMOTED);
        log.startRound(MODEL);
        assertThat(awaitVersion(log, 3, VersionState.PROMOTED).getParent()).isEqualTo("tiny-000001");
    }
}
