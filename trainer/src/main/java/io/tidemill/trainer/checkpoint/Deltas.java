package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.checkpoint.DeltaFile;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDelta;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * {@code deltas/}: what differs between a version's weights and its parent's, for readers who have those. Public, but no part
 * of the Hugging Face directory that the version is; nothing depends on it, so a damaged one is no reason to stop a round.
 */
public final class Deltas {
    /** Where they stand in a version. */
    public static final String DIRECTORY = "deltas";

    private static final String WEIGHTS = ".safetensors";

    private Deltas() {}

    /**
     * Writes those of all weights whose delta is at most half as long as the file, sharded or not, also of what stands beside
     * the model.
     *
     * @param version its public files are written
     * @param parent  directory of the version that the event announced
     */
    public static List<FileDelta> write(Path version, Path parent, CheckpointEvent announced) throws IOException {
        Map<String, FileDigest> bases =
                announced.getFilesList().stream().collect(Collectors.toMap(FileDigest::getPath, Function.identity()));
        List<FileDelta> written = new ArrayList<>();
        for (FileDigest file : VersionFiles.digests(version)) {
            FileDigest base = bases.get(file.getPath());
            if (base == null || !file.getPath().endsWith(WEIGHTS) || !isThere(parent, base)) {
                continue;
            }
            Path delta = version.resolve(DIRECTORY).resolve(file.getPath() + ".delta");
            Files.createDirectories(delta.getParent());
            if (DeltaFile.write(parent, base, version, file, delta, file.getLength() / 2)) {
                written.add(FileDelta.newBuilder()
                        .setPath(file.getPath())
                        .setBaseVersion(announced.getVersion())
                        .setBaseSha256(base.getSha256())
                        .setDelta(FileDigests.of(version, delta))
                        .build());
            }
        }
        removeEmpty(version.resolve(DIRECTORY));
        return written;
    }

    /** Retention may have taken the parent's weights away. */
    private static boolean isThere(Path parent, FileDigest base) {
        return Files.isRegularFile(parent.resolve(base.getPath()));
    }

    private static void removeEmpty(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        List<Path> paths;
        try (var below = Files.walk(directory)) {
            paths = below.filter(Files::isRegularFile).toList();
        }
        if (paths.isEmpty()) {
            Durable.deleteTree(directory);
        }
    }

    /** Digests of those that an event announces. */
    static List<FileDigest> of(CheckpointEvent event) {
        return event.getDeltasList().stream().map(FileDelta::getDelta).toList();
    }
}
