package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Rounds over a store that the disk has changed. */
class DamageTest extends TrainerRig {
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private Trainer start(TestLog log) {
        return start(options(log, data, settings(0.01), base), System::nanoTime);
    }

    /** Changes a bit in the middle; what was there before. */
    private static byte[] damage(Path file) throws IOException {
        byte[] before = Files.readAllBytes(file);
        byte[] after = before.clone();
        after[after.length / 2] ^= 4;
        Files.write(file, after);
        return before;
    }

    private static void awaitFailure(Trainer trainer, String version, String file) {
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(trainer.status().failure().orElse(""))
                        .startsWith(version + " in the store is not what was announced: File " + file)
                        .contains("Put the file back from a copy"));
    }

    @Test
    void noRoundStartsFromADamagedChampionAndTheRecordsWaitUntilItIsRestored() throws Exception {
        TestLog log = log(base);
        Trainer trainer = start(log);
        awaitVersion(log, 0, VersionState.PROMOTED);
        Path weights = directory(data, 0).resolve("model.safetensors");
        byte[] before = damage(weights);
        log.documents(0, 20, 60);
        log.startRound(MODEL);

        awaitFailure(trainer, "tiny-000000", "model.safetensors");
        assertThat(trainer.status().stopped()).isFalse();
        assertThat(log.checkpoints()).hasSize(1);

        Files.write(weights, before);
        assertThat(awaitVersion(log, 1, VersionState.PROMOTED).getLineage().getExamplesMap())
                .containsEntry("pretrain", 16L);
    }

    @Test
    void aDamagedPrivateFileOfTheChampionIsNamedAndARollbackIsCarriedOutAllTheSame() throws Exception {
        TestLog log = log(base);
        Trainer trainer = start(log);
        log.documents(0, 20, 60);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
        damage(directory(data, 1).resolve("state/examples.tsv"));
        log.documents(20, 40, 60);
        log.startRound(MODEL);
        awaitFailure(trainer, "tiny-000001", "examples.tsv");
        damage(directory(data, 1).resolve("state/examples.tsv")); // as it was
        Path provenance = directory(data, 1).resolve("state/provenance.tsv"); // decides whom a version has to forget
        Files.writeString(provenance, "x", StandardOpenOption.APPEND);
        awaitFailure(trainer, "tiny-000001", "provenance.tsv");

        Command.Builder rollback = Command.newBuilder().setModel(MODEL);
        rollback.getRollbackBuilder().setReason("its ledger is damaged");
        log.command(rollback);
        awaitVersion(log, 1, VersionState.ROLLED_BACK);
        log.startRound(MODEL);
        assertThat(awaitVersion(log, 2, VersionState.PROMOTED).getParent()).isEqualTo("tiny-000000");
    }
}
