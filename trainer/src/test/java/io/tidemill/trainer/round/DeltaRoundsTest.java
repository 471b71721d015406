package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.DeltaFile;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDelta;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.Deltas;
import io.tidemill.trainer.checkpoint.Finding;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.VersionCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What real rounds publish beside their weights: what differs from the parent's. */
class DeltaRoundsTest extends TrainerRig {
    /** Changes one matrix of each layer. */
    private static final AdapterSettings LITTLE = new AdapterSettings(2, 8, false, List.of("q_proj"));

    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private CheckpointEvent round(TestLog log, RoundSettings settings, boolean deltas, VersionState state) {
        log.documents(0, 40, 100);
        log.startRound(MODEL);
        start(withDeltas(options(log, data, settings, base), deltas), System::nanoTime);
        return awaitVersion(log, 1, state);
    }

    @Test
    void aVersionIsRestoredFromItsParentByItsDeltaBitForBit() throws Exception {
        CheckpointEvent event = round(log(base), settings(0.02, LITTLE), true, VersionState.PROMOTED);
        Path parent = directory(data, 0);
        Path version = directory(data, 1);
        assertThat(event.getDeltasList()).hasSize(1);
        FileDelta delta = event.getDeltas(0);
        assertThat(delta.getPath()).isEqualTo("model.safetensors");
        assertThat(delta.getBaseVersion()).isEqualTo("tiny-000000");
        assertThat(delta.getDelta().getPath()).isEqualTo("deltas/model.safetensors.delta");
        assertThat(Manifest.read(version).event().getDeltasList()).containsExactly(delta);
        FileDigests.verify(version, List.of(delta.getDelta()));
        FileDigest weights = event.getFilesList().stream()
                .filter(file -> file.getPath().equals(delta.getPath()))
                .findFirst()
                .orElseThrow();
        assertThat(delta.getDelta().getLength()).isLessThanOrEqualTo(weights.getLength() / 2);
        Path restored = data.resolve("restored");
        DeltaFile.restore(
                version.resolve(delta.getDelta().getPath()), parent.resolve(delta.getPath()), restored, weights);
        assertThat(restored).hasSameBinaryContentAs(version.resolve(delta.getPath()));
        assertThat(event.getFilesList())
                .extracting(FileDigest::getPath)
                .noneMatch(path -> path.startsWith(Deltas.DIRECTORY));

        assertThat(check()).extracting(Finding::outcome).doesNotContain(Finding.Outcome.FAILED);
        Files.write(version.resolve(delta.getDelta().getPath()), new byte[] {1});
        assertThat(check())
                .filteredOn(Finding::failed)
                .extracting(Finding::check)
                .containsExactly("files");
        Files.delete(version.resolve(delta.getDelta().getPath()));
        assertThat(check())
                .filteredOn(Finding::failed)
                .extracting(Finding::check)
                .containsExactly("files");
    }

    private List<Finding> check() throws Exception {
        return VersionCheck.inStore(data.resolve("store"), new VersionId(MODEL, 1), Optional.empty())
                .run();
    }

    @Test
    void aRefusedVersionHasNoDeltas() {
        CheckpointEvent event = round(log(base), settings(30), true, VersionState.REFUSED);
        assertThat(event.getDeltasList()).isEmpty();
        assertThat(directory(data, 1).resolve(Deltas.DIRECTORY)).doesNotExist();
    }

    @Test
    void whereTheSettingSaysSoNoVersionHasThem() {
        CheckpointEvent event = round(log(base), settings(0.02, LITTLE), false, VersionState.PROMOTED);
        assertThat(event.getDeltasList()).isEmpty();
        assertThat(directory(data, 1).resolve(Deltas.DIRECTORY)).doesNotExist();
    }
}
