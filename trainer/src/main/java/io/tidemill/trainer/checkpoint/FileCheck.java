package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Compares a version's directory with the list of its manifest: each file listed is there, and none that is not. */
final class FileCheck {
    static final String NAME = "files";

    private final Path directory;
    private final List<FileDigest> listed;

    /** Who fetches a version needs no deltas, once they have served. */
    private final List<FileDigest> deltas;

    private final boolean pruned;

    /** @param ofStore weights may have been taken away by retention; a downloaded version was whole */
    FileCheck(Path directory, Manifest manifest, boolean ofStore) {
        this.directory = directory;
        this.listed = manifest.event().getFilesList();
        this.deltas = Deltas.of(manifest.event()).stream()
                .filter(file -> ofStore || Files.exists(directory.resolve(file.getPath())))
                .toList();
        this.pruned = ofStore && listed.stream().anyMatch(this::prunable) && allPrunableAreGone();
    }

    private boolean prunable(FileDigest file) {
        return !CheckpointStore.KEPT_WHEN_PRUNED.contains(file.getPath());
    }

    private boolean allPrunableAreGone() {
        return listed.stream()
                .filter(this::prunable)
                .noneMatch(file -> Files.exists(directory.resolve(file.getPath())));
    }

    /** Were its weights taken away by retention? */
    boolean pruned() {
        return pruned;
    }

    Finding finding() throws IOException {
        List<FileDigest> there = Stream.concat(listed.stream(), deltas.stream())
                .filter(file -> !pruned || !prunable(file))
                .toList();
        List<String> flaws = new ArrayList<>();
        for (FileDigest file : there) {
            try {
                FileDigests.verify(directory, List.of(file));
            } catch (IOException e) {
                flaws.add(e.getMessage());
            }
        }
        Set<String> unlisted = unlisted();
        if (!unlisted.isEmpty()) {
            flaws.add("Not covered by the manifest: " + String.join(", ", unlisted) + ".");
        }
        flaws.addAll(Sums.flaws(directory.resolve(CheckpointStore.STATE), !pruned));
        if (!flaws.isEmpty()) {
            return Finding.failed(NAME, String.join(" ", flaws));
        }
        String told = String.format(
                Locale.ROOT,
                "%d with length and SHA-256, %,d bytes",
                there.size(),
                there.stream().mapToLong(FileDigest::getLength).sum());
        if (pruned) {
            told += "; " + (listed.size() + deltas.size() - there.size()) + " taken away by retention";
        }
        if (Files.exists(directory.resolve(CheckpointStore.STATE))) {
            boolean sums = Files.exists(directory.resolve(CheckpointStore.STATE).resolve(Sums.FILE));
            told += "; " + CheckpointStore.STATE + "/ is the trainer's own and "
                    + (sums ? "holds by its " + Sums.FILE : "not covered");
        }
        return Finding.ok(NAME, told);
    }

    /** A file that nobody listed may change what a library loads, such as an adapter's configuration. */
    private Set<String> unlisted() throws IOException {
        Set<String> names;
        try (Stream<Path> paths = Files.walk(directory)) {
            names = paths.filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
                    .map(directory::relativize)
                    .filter(path -> !path.startsWith(CheckpointStore.STATE))
                    .map(path -> path.toString().replace('\\', '/'))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
        listed.forEach(file -> names.remove(file.getPath()));
        deltas.forEach(file -> names.remove(file.getPath()));
        names.remove(Manifest.FILE);
        Manifest.SIGNATURES.forEach(names::remove);
        return names;
    }
}
