package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.Finding;
import io.tidemill.trainer.checkpoint.KeyFiles;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.ModelSigningKey;
import io.tidemill.trainer.checkpoint.SigningKey;
import io.tidemill.trainer.checkpoint.VerifyingKey;
import io.tidemill.trainer.checkpoint.VersionCheck;
import io.tidemill.trainer.checkpoint.VersionSigner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Versions of real rounds are signed where there is a key, and hold when they are checked. */
class SignedRoundsTest extends TrainerRig {
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private Trainer start(TestLog log, RoundSettings settings, List<VersionSigner> key) {
        return start(options(log, data, settings, base, Optional::empty, key), System::nanoTime);
    }

    private static List<String> files(CheckpointEvent event) {
        return event.getFilesList().stream().map(FileDigest::getPath).toList();
    }

    private List<Finding> check(long round, KeyFiles keys) throws IOException {
        return VersionCheck.inStore(
                        data.resolve("store"),
                        new VersionId(MODEL, round),
                        Optional.of(VerifyingKey.read(keys.shown())))
                .run();
    }

    @Test
    void basePromotedAndRefusedVersionsAreSignedAndTheKeyComesAndGoesBetweenRounds() throws Exception {
        KeyFiles keys = KeyFiles.write(data.resolve("key"));
        KeyFiles others = KeyFiles.onCurve("P-256");
        List<VersionSigner> key = List.of(SigningKey.read(keys.secret()), ModelSigningKey.read(others.secret()));
        TestLog log = log(base);
        log.documents(0, 40, 100);
        log.startRound(MODEL);
        Trainer signing = start(log, settings(0.01), key);
        CheckpointEvent first = awaitVersion(log, 0, VersionState.PROMOTED);
        CheckpointEvent second = awaitVersion(log, 1, VersionState.PROMOTED);
        for (CheckpointEvent event : List.of(first, second)) {
            assertThat(files(event)).endsWith(Manifest.FILE, Manifest.SIGNATURE, "model.sig");
            long round = VersionId.parse(event.getVersion()).round();
            FileDigests.verify(directory(data, round), event.getFilesList());
            // while the trainer holds the store
            assertThat(check(round, keys)).extracting(Finding::outcome).containsOnly(Finding.Outcome.OK);
            assertThat(check(round, others)).extracting(Finding::outcome).containsOnly(Finding.Outcome.OK);
        }
        signing.close();

        log.documents(40, 80, 100);
        log.startRound(MODEL);
        Trainer unsigned = start(log, settings(0.01), List.of());
        assertThat(files(awaitVersion(log, 2, VersionState.PROMOTED)))
                .contains(Manifest.FILE)
                .doesNotContain(Manifest.SIGNATURE);
        assertThat(check(2, keys))
                .filteredOn(Finding::failed)
                .extracting(Finding::check)
                .containsExactly("signature");
        unsigned.close();

        log.documents(80, 120, 100);
        log.startRound(MODEL);
        start(log, settings(30), key); // ruins the model
        CheckpointEvent ruined = awaitVersion(log, 3, VersionState.REFUSED);
        assertThat(files(ruined)).contains(Manifest.SIGNATURE, "model.sig");
        assertThat(ruined.getDeltasList()).as("nobody fetches it").isEmpty();
        assertThat(check(3, others)).filteredOn(Finding::failed).isEmpty();
        List<Finding> refused = check(3, keys);
        assertThat(refused).filteredOn(Finding::failed).isEmpty();
        assertThat(refused.get(4).told())
                .isEqualTo("3 steps back to tiny-000000, all files of the ancestors as listed, 2 of 3 signed;"
                        + " no offset was read twice");
    }
}
