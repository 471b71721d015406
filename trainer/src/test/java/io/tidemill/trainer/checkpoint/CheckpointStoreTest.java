package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.data.ExampleSet;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
    @TempDir
    Path directory;

    private static VersionId version(long round) {
        return new VersionId("tiny", round);
    }

    private static Path write(CheckpointStore store, long round) throws IOException {
        Path aside = store.aside(version(round));
        Files.writeString(aside.resolve("config.json"), "{}");
        Files.writeString(aside.resolve("model.safetensors"), "weights " + round);
        Files.writeString(aside.resolve("README.md"), "card");
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                .setModel("tiny")
                .setVersion(version(round).toString())
                .setState(VersionState.PROMOTED)
                .addAllFiles(VersionFiles.digests(aside));
        Path state = Files.createDirectory(aside.resolve(CheckpointStore.STATE));
        Ledger.write(state, List.of(new LedgerEntry("example-" + round, "dpo"), new LedgerEntry("odd\n\\id", "sft")));
        new Manifest(
                        event.build(),
                        "embedded",
                        new Slice(List.of(new OffsetRange("t", 0, 1, 2))),
                        JsonNodeFactory.instance.objectNode(),
                        JsonNodeFactory.instance.objectNode(),
                        "")
                .write(aside);
        return aside;
    }

    @Test
    void aVersionIsThereAsAWholeOrNotAtAll() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            Path aside = write(store, 1);
            assertThat(store.has(version(1))).isFalse();
            assertThat(store.versions()).isEmpty();
            store.publish(aside, version(1));
            assertThat(store.has(version(1))).isTrue();
            assertThat(aside).doesNotExist();
            assertThat(store.versions()).containsExactly(version(1));
        }
    }

    @Test
    void whatThrowsAtTheLastMomentLeavesNoVersion() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            Path aside = write(store, 1);
            assertThatThrownBy(() -> store.publish(aside, version(1), () -> {
                        throw new IllegalStateException("too late");
                    }))
                    .hasMessage("too late");
            assertThat(store.versions()).isEmpty();
        }
    }

    @Test
    void whatWasHalfWrittenIsRemovedAtTheNextStart() throws IOException {
        Path aside;
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            store.publish(write(store, 1), version(1));
            aside = write(store, 2);
        }
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            assertThat(aside).doesNotExist();
            assertThat(store.versions()).containsExactly(version(1));
        }
    }

    @Test
    void aVersionIsWrittenOnce() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            store.publish(write(store, 1), version(1));
            Path again = write(store, 1);
            assertThatThrownBy(() -> store.publish(again, version(1))).isInstanceOf(FileAlreadyExistsException.class);
        }
    }

    @Test
    void aSecondTrainerOnTheSameStoreIsRefused() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            assertThatThrownBy(() -> CheckpointStore.open(directory, "tiny"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("in use by another trainer");
            assertThat(store.versions()).isEmpty();
        }
    }

    @Test
    void onlyFilesOfTheManifestAreReachable() throws IOException {
        Files.writeString(directory.resolve("secret.txt"), "secret");
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            store.publish(write(store, 1), version(1));
            assertThat(store.publicFile(version(1), "model.safetensors")).isPresent();
            assertThat(store.publicFile(version(1), Manifest.FILE)).isPresent();
            for (String path : List.of(
                    "state/examples.tsv",
                    "../../secret.txt",
                    "./model.safetensors",
                    "/etc/passwd",
                    "",
                    ".",
                    "absent")) {
                assertThat(store.publicFile(version(1), path)).as(path).isEmpty();
            }
            assertThat(store.publicFile(version(2), "model.safetensors")).isEmpty();
            assertThat(store.publicFile(new VersionId("other", 1), "model.safetensors"))
                    .isEmpty();
        }
    }

    @Test
    void pruningTakesOldWeightsAndLeavesWhatTellsOfThem() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            for (long round = 0; round < 5; round++) {
                store.publish(write(store, round), version(round));
            }
            store.prune(2, Instant.MIN, Set.of(version(0)));
            assertThat(store.versions()).hasSize(5);
            assertThat(store.versions().stream().filter(store::hasWeights))
                    .containsExactly(version(0), version(3), version(4));
            assertThat(store.publicFile(version(1), "model.safetensors")).isEmpty();
            assertThat(store.publicFile(version(1), "README.md")).isPresent();
            assertThat(Ledger.read(store.directory(version(1)).resolve(CheckpointStore.STATE)))
                    .hasSize(2);
        }
    }

    @Test
    void aManifestThatIsNotTheOneAnnouncedIsNamed() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            store.publish(write(store, 1), version(1));
            Path file = store.directory(version(1)).resolve(Manifest.FILE);
            CheckpointEvent announced = store.manifest(version(1)).announcement(store.directory(version(1)));
            assertThat(store.manifest(announced).base()).isEqualTo("embedded");

            String whole = Files.readString(file);
            Files.writeString(file, whole.replace("embedded", "embeddee"));
            assertThatThrownBy(() -> store.manifest(announced))
                    .isInstanceOf(DamagedFileException.class)
                    .hasMessageContaining("tiny-000001")
                    .hasMessageContaining("manifest.json");
            Files.writeString(file, whole.replaceFirst(":", ";"));
            assertThatThrownBy(() -> Manifest.read(file.getParent()))
                    .isInstanceOf(DamagedFileException.class)
                    .hasMessageContaining("manifest.json is not as it was written");
        }
    }

    @Test
    void versionsOfAnAgeLoseTheirWeightsHoweverFewThereAre() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            for (long round = 0; round < 3; round++) {
                store.publish(write(store, round), version(round));
            }
            store.prune(10, Instant.EPOCH, Set.of());
            assertThat(store.versions()).allMatch(store::hasWeights);
            store.prune(10, Instant.now().plusSeconds(60), Set.of(version(2)));
            assertThat(store.versions().stream().filter(store::hasWeights)).containsExactly(version(2));
        }
    }

    @Test
    void aManifestIsReadAsItWasWrittenAndAnnouncesItself() throws IOException {
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            store.publish(write(store, 1), version(1));
            Manifest manifest = store.manifest(version(1));
            assertThat(manifest.quarantined().ranges()).containsExactly(new OffsetRange("t", 0, 1, 2));
            assertThat(manifest.announcement(store.directory(version(1))).getFilesList())
                    .extracting(file -> file.getPath())
                    .containsExactly("README.md", "config.json", "model.safetensors", "manifest.json");
        }
    }

    @Test
    void aSignatureIsPublicAnnouncedAndOutlivesTheWeights() throws IOException {
        KeyFiles keys = KeyFiles.write(directory.resolve("key"));
        try (CheckpointStore store = CheckpointStore.open(directory, "tiny")) {
            Path aside = write(store, 1);
            SigningKey.read(keys.secret()).sign(aside);
            store.publish(aside, version(1));
            store.publish(write(store, 2), version(2));

            assertThat(store.publicFile(version(1), Manifest.SIGNATURE)).isPresent();
            assertThat(store.publicFile(version(2), Manifest.SIGNATURE)).isEmpty();
            Path published = store.directory(version(1));
            List<FileDigest> announced =
                    store.manifest(version(1)).announcement(published).getFilesList();
            assertThat(announced)
                    .extracting(file -> file.getPath())
                    .containsExactly(
                            "README.md", "config.json", "model.safetensors", "manifest.json", "manifest.json.sig");
            FileDigests.verify(published, announced);

            store.prune(1, Instant.MIN, Set.of());
            assertThat(store.hasWeights(version(1))).isFalse();
            assertThat(VerifyingKey.read(keys.shown()).verifies(published)).isTrue();
        }
    }

    @Test
    void theLedgerKeepsIdsAsTheyAre() throws IOException {
        Ledger.write(directory, List.of(new LedgerEntry("a\nb\\n\tc", "sft"), new LedgerEntry("d", "held-out")));
        assertThat(Ledger.read(directory))
                .containsExactly(new LedgerEntry("a\nb\\n\tc", "sft"), new LedgerEntry("d", "held-out"));
        ExampleSet set = new ExampleSet();
        Ledger.addTo(set, directory);
        assertThat(set.contains("a\nb\\n\tc")).isTrue();
    }
}
