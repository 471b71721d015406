package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.checkpoint.DeltaFile;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDelta;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeltasTest {
    private static final String FIRST = "model-00001-of-00002.safetensors";
    private static final String SECOND = "model-00002-of-00002.safetensors";
    private static final String ADAPTER = "adapter/adapter_model.safetensors";

    @TempDir
    Path directory;

    private Path parent;
    private Path child;

    @BeforeEach
    void write() throws IOException {
        parent = directory.resolve("tiny-000001");
        child = directory.resolve("tiny-000002");
        for (Path version : List.of(parent, child)) {
            Files.createDirectories(version.resolve("adapter"));
            Files.writeString(version.resolve("config.json"), "{}");
            Files.write(version.resolve(FIRST), bytes(1, 100_000));
            Files.write(version.resolve(SECOND), bytes(2, 50_000));
            Files.write(version.resolve(ADAPTER), bytes(3, 1_000));
        }
    }

    private static byte[] bytes(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private CheckpointEvent announced() throws IOException {
        return CheckpointEvent.newBuilder()
                .setVersion("tiny-000001")
                .addAllFiles(VersionFiles.digests(parent))
                .build();
    }

    @Test
    void everyShardWhoseChangeIsLittleHasADeltaThatRestoresIt() throws IOException {
        byte[] changed = bytes(2, 50_000);
        changed[49_999]++;
        Files.write(child.resolve(SECOND), changed);
        Files.write(child.resolve(ADAPTER), bytes(4, 1_000)); // nothing of it is as before
        List<FileDelta> deltas = Deltas.write(child, parent, announced());
        assertThat(deltas).extracting(FileDelta::getPath).containsExactly(FIRST, SECOND);
        for (FileDelta delta : deltas) {
            assertThat(delta.getBaseVersion()).isEqualTo("tiny-000001");
            FileDigests.verify(child, List.of(delta.getDelta()));
            FileDigests.verify(
                    parent,
                    List.of(FileDigest.newBuilder()
                            .setPath(delta.getPath())
                            .setLength(Files.size(child.resolve(delta.getPath())))
                            .setSha256(delta.getBaseSha256())
                            .build()));
            Path restored = directory.resolve("restored-" + delta.getPath());
            DeltaFile.restore(
                    child.resolve(delta.getDelta().getPath()),
                    parent.resolve(delta.getPath()),
                    restored,
                    FileDigests.of(child, child.resolve(delta.getPath())));
            assertThat(restored).hasSameBinaryContentAs(child.resolve(delta.getPath()));
        }
        assertThat(VersionFiles.digests(child))
                .extracting(FileDigest::getPath)
                .noneMatch(path -> path.startsWith(Deltas.DIRECTORY));
    }

    @Test
    void whereAllChangedOrTheParentsWeightsAreGoneThereAreNone() throws IOException {
        CheckpointEvent announced = announced();
        Files.write(child.resolve(FIRST), bytes(5, 100_000));
        Files.write(child.resolve(SECOND), bytes(6, 50_001));
        Files.delete(parent.resolve(ADAPTER));
        assertThat(Deltas.write(child, parent, announced)).isEmpty();
        assertThat(child.resolve(Deltas.DIRECTORY)).doesNotExist();
    }

    @Test
    void aDamagedParentGivesNoDeltaAndStopsNothing() throws IOException {
        CheckpointEvent announced = announced();
        Files.write(parent.resolve(FIRST), bytes(1, 99_999));
        assertThat(Deltas.write(child, parent, announced))
                .extracting(FileDelta::getPath)
                .containsExactly(SECOND, ADAPTER);
    }
}
