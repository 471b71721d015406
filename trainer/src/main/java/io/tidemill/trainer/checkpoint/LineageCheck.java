package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/**
 * Follows a version from parent to parent down to the base, in a store that a trainer may be writing.
 *
 * <p>No offset may be read twice on the way. Where a slice starts beyond its ancestors' end, a refused or rolled back
 * version of the store tells why; what none tells of is named, since retention of the log may have taken it.
 */
final class LineageCheck {
    static final String NAME = "lineage";

    private final Path root;
    private final Optional<VerifyingKey> key;
    private final List<String> flaws = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();
    private int signed;

    /** @param root the model's directory in the store */
    LineageCheck(Path root, Optional<VerifyingKey> key) {
        this.root = root;
        this.key = key;
    }

    Finding of(CheckpointEvent event) throws IOException {
        List<CheckpointEvent> descent = descent(event);
        namedByChildren(event);
        readOnce(descent);
        if (!flaws.isEmpty()) {
            return Finding.failed(NAME, String.join(" ", flaws));
        }
        int ancestors = descent.size() - 1;
        String told = ancestors == 0
                ? "the base of its lineage"
                : ancestors + (ancestors == 1 ? " step" : " steps") + " back to "
                        + descent.get(0).getVersion() + ", all files of the ancestors as listed"
                        + (key.isPresent() ? ", " + signed + " of " + ancestors + " signed" : "")
                        + "; no offset was read twice";
        return Finding.ok(
                NAME,
                leftOut.isEmpty()
                        ? told
                        : told + "; no version of the store has read " + String.join(", ", leftOut)
                                + " (retention of the log takes what waits too long)");
    }

    /** The version and its ancestors as far as they can be followed, oldest first. */
    private List<CheckpointEvent> descent(CheckpointEvent event) throws IOException {
        List<CheckpointEvent> descent = new ArrayList<>(List.of(event));
        Optional<CheckpointEvent> child = Optional.of(event);
        while (child.isPresent()) {
            child = parent(child.get());
            child.ifPresent(descent::add);
        }
        Collections.reverse(descent);
        return descent;
    }

    private Optional<CheckpointEvent> parent(CheckpointEvent child) throws IOException {
        String name = child.getParent();
        VersionId version = VersionId.parse(child.getVersion());
        if (name.isEmpty()) {
            if (version.round() != 0) {
                flaws.add(version + " names no parent, but only round 0 has none.");
            }
            return Optional.empty();
        }
        VersionId parent = VersionId.parse(name);
        if (!parent.model().equals(version.model()) || parent.round() >= version.round()) {
            flaws.add(version + " names " + parent + " as its parent, which is no earlier version of its model.");
            return Optional.empty();
        }
        Path directory = root.resolve(name);
        if (!Files.isRegularFile(directory.resolve(Manifest.FILE))) {
            flaws.add("The parent " + parent + " of " + version + " is not in the store.");
            return Optional.empty();
        }
        Manifest manifest;
        try {
            manifest = Manifest.read(directory);
        } catch (IOException | RuntimeException e) {
            flaws.add("The manifest of " + parent + " cannot be read: " + e.getMessage());
            return Optional.empty();
        }
        if (!manifest.event().getVersion().equals(name)) {
            flaws.add("The manifest of " + parent + " is that of "
                    + manifest.event().getVersion() + ".");
            return Optional.empty();
        }
        look(directory, manifest);
        Optional<String> named = named(child);
        if (named.isPresent()
                && !named.get()
                        .equals(FileDigests.of(directory, directory.resolve(Manifest.FILE))
                                .getSha256())) {
            flaws.add("The manifest of " + parent + " is not the one that " + version
                    + " names as its parent's: SHA-256 " + named.get() + ".");
        }
        return Optional.of(manifest.event());
    }

    /** The digest by which a version names its parent's manifest; empty in versions of older programs. */
    private Optional<String> named(CheckpointEvent child) throws IOException {
        Path directory = root.resolve(child.getVersion());
        return Files.isRegularFile(directory.resolve(Manifest.FILE))
                ? Optional.of(Manifest.read(directory).parentSha256()).filter(digest -> !digest.isEmpty())
                : Optional.empty();
    }

    /** A manifest that no file beside it vouches for is held against the digest by which its children name it. */
    private void namedByChildren(CheckpointEvent event) throws IOException {
        Path own = root.resolve(event.getVersion());
        String digest = FileDigests.of(own, own.resolve(Manifest.FILE)).getSha256();
        List<Path> versions;
        try (Stream<Path> paths = Files.list(root)) {
            versions = paths.filter(path -> Files.isRegularFile(path.resolve(Manifest.FILE)))
                    .filter(path -> !path.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        }
        for (Path directory : versions) {
            try {
                Manifest child = Manifest.read(directory);
                if (child.event().getParent().equals(event.getVersion())
                        && !child.parentSha256().isEmpty()
                        && !child.parentSha256().equals(digest)) {
                    flaws.add("The manifest of " + event.getVersion() + " is not the one that "
                            + directory.getFileName() + " names as its parent's: SHA-256 " + child.parentSha256()
                            + ".");
                }
            } catch (IOException | RuntimeException e) {
                // Told when that version is looked at.
            }
        }
    }

    private void look(Path directory, Manifest manifest) throws IOException {
        String version = manifest.event().getVersion();
        // What was a candidate or a canary first was promoted by an event, which the log alone has.
        if (manifest.event().getState() == VersionState.REFUSED) {
            flaws.add(version + " has a child, but was never promoted.");
        }
        Finding files = new FileCheck(directory.toRealPath(), manifest, true).finding();
        if (files.failed()) {
            flaws.add(version + ": " + files.told());
        }
        if (key.isPresent() && Files.exists(directory.resolve(key.get().signatureFile()))) {
            if (key.get().verifies(directory)) {
                signed++;
            } else {
                flaws.add(version + " does not bear this key's signature.");
            }
        }
    }

    private void readOnce(List<CheckpointEvent> descent) throws IOException {
        Map<TopicPartition, Set<Long>> ends = endsOfOthers(descent);
        Map<TopicPartition, Long> read = Map.of();
        for (CheckpointEvent event : descent) {
            Slice slice = Slice.of(event.getLineage().getSlicesList());
            for (OffsetRange range : slice.ranges()) {
                TopicPartition partition = range.topicPartition();
                long end = read.getOrDefault(partition, 0L);
                if (range.from() < end && range.from() < range.to()) {
                    flaws.add(event.getVersion() + " has read " + range + ", of which its ancestors had read all up to "
                            + end + ".");
                } else if (range.from() > end
                        && !ends.getOrDefault(partition, Set.of()).contains(range.from())) {
                    leftOut.add(partition + ":" + end + ".." + range.from());
                }
            }
            read = Slice.latest(read, slice.ends());
        }
    }

    /** Where versions that are not among these have read up to: refused ones, and those that were rolled back. */
    private Map<TopicPartition, Set<Long>> endsOfOthers(List<CheckpointEvent> descent) throws IOException {
        Set<String> known = new HashSet<>();
        descent.forEach(event -> known.add(event.getVersion()));
        Map<TopicPartition, Set<Long>> ends = new HashMap<>();
        List<Path> others;
        try (Stream<Path> paths = Files.list(root)) {
            others = paths.filter(path -> !known.contains(path.getFileName().toString()))
                    .filter(path -> !path.getFileName().toString().startsWith("."))
                    .filter(path -> Files.isRegularFile(path.resolve(Manifest.FILE)))
                    .toList();
        }
        for (Path other : others) {
            ends(other).forEach((partition, end) -> ends.computeIfAbsent(partition, none -> new HashSet<>())
                    .add(end));
        }
        return ends;
    }

    /** None where the manifest cannot be read: it is no ancestor, and explains nothing. */
    private static Map<TopicPartition, Long> ends(Path version) {
        try {
            return Slice.of(Manifest.read(version).event().getLineage().getSlicesList())
                    .ends();
        } catch (IOException | RuntimeException e) {
            return Map.of();
        }
    }
}
