package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Power cuts after every write, flush, rename and deletion of the checkpoint writer. */
class PowerCutTest {
    @TempDir
    Path scratch;

    private RecordedDisk disk() throws IOException {
        return new RecordedDisk(Files.createDirectory(scratch.resolve("disk")));
    }

    private static VersionId version(long round) {
        return new VersionId("tiny", round);
    }

    private static void publish(CheckpointStore store, long round) throws IOException {
        Path aside = store.aside(version(round));
        Files.writeString(aside.resolve("config.json"), "{}");
        Files.writeString(aside.resolve("model.safetensors"), "weights of round " + round);
        Files.writeString(aside.resolve("README.md"), "card of round " + round);
        Path state = Files.createDirectory(aside.resolve(CheckpointStore.STATE));
        Path masters = Files.createDirectory(state.resolve("masters"));
        Files.writeString(masters.resolve("model.safetensors"), "float32 weights of round " + round);
        Ledger.write(state, List.of(new LedgerEntry("example-" + round, "sft")));
        CheckpointEvent event = CheckpointEvent.newBuilder()
                .setModel("tiny")
                .setVersion(version(round).toString())
                .setState(VersionState.PROMOTED)
                .addAllFiles(VersionFiles.digests(aside))
                .build();
        new Manifest(
                        event,
                        "embedded",
                        Slice.EMPTY,
                        JsonNodeFactory.instance.objectNode(),
                        JsonNodeFactory.instance.objectNode(),
                        "")
                .write(aside);
        CheckpointStore.seal(aside);
        store.publish(aside, version(round));
    }

    @Test
    void aPowerCutAtAnyWriteOfACheckpointLeavesTheNewestVersionOrTheOneBeforeWhole() throws IOException {
        RecordedDisk disk = disk();
        int first;
        try (CheckpointStore store = CheckpointStore.open(disk.root(), "tiny")) {
            publish(store, 1);
            first = disk.length();
            publish(store, 2);
        }
        int last = disk.length();
        int states = 0;
        for (int n = 1; n <= last; n++) {
            boolean hasFirst = n >= first;
            boolean hasSecond = n == last;
            states += disk.afterCut(n, scratch.resolve("cut"), (survived, cut) -> {
                try (CheckpointStore store = CheckpointStore.open(survived, "tiny")) {
                    List<VersionId> versions = store.versions();
                    if (hasFirst) {
                        assertThat(versions).as(cut).contains(version(1));
                    }
                    if (hasSecond) {
                        assertThat(versions).as(cut).contains(version(2));
                    }
                    for (VersionId version : versions) {
                        assertThat(store.hasWeights(version)).as(cut).isTrue();
                        Manifest manifest = store.manifest(version);
                        store.verify(manifest.announcement(store.directory(version)));
                        assertThat(Ledger.read(store.directory(version).resolve(CheckpointStore.STATE)))
                                .as(cut)
                                .hasSize(1);
                    }
                    assertThat(survived.resolve("tiny")).as(cut).isDirectoryNotContaining(path -> path.getFileName()
                            .toString()
                            .startsWith(".aside"));
                } catch (DamagedFileException e) {
                    throw new AssertionError(cut, e);
                }
            });
        }
        assertThat(last).as("operations of the checkpoint writer").isGreaterThan(40);
        assertThat(states).isEqualTo(8 * last);
    }

    @Test
    void aSmallFileIsTheNewOneOrTheOneBefore() throws IOException {
        RecordedDisk disk = disk();
        Path file = disk.root().resolve("small");
        Sealed.write(file, "one\n");
        int first = disk.length();
        Sealed.write(file, "two, which is longer\n");
        int last = disk.length();
        for (int n = first; n <= last; n++) {
            boolean whole = n == last;
            disk.afterCut(n, scratch.resolve("cut"), (survived, cut) -> {
                Optional<byte[]> read = Sealed.read(survived.resolve("small"));
                assertThat(read.map(String::new).orElse("nothing"))
                        .as(cut)
                        .isIn(whole ? List.of("two, which is longer\n") : List.of("one\n", "two, which is longer\n"));
            });
        }
    }
}
