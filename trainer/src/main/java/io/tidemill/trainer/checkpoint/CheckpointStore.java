package io.tidemill.trainer.checkpoint;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The versions of one model on disk, one directory each.
 *
 * <p>A version is written in a directory aside, flushed and renamed: it is there as a whole or not at all. What stands
 * in {@code state/} is private: it is never among a version's public files.
 */
public final class CheckpointStore implements AutoCloseable {
    /** Private part of a version: ledger, held-out suites, its slice, float32 masters. */
    public static final String STATE = "state";

    private static final String ASIDE = ".aside-";
    static final Set<String> KEPT_WHEN_PRUNED =
            Set.of(Manifest.FILE, Manifest.SIGNATURE, ModelSignature.FILE, ModelCard.FILE, STATE, Probe.FILE);

    private final String model;
    private final Path root;
    private final FileChannel lock; // null where the store is only read

    private CheckpointStore(String model, Path root, FileChannel lock) {
        this.model = model;
        this.root = root;
        this.lock = lock;
    }

    /**
     * Opens, and makes where absent, {@code <directory>/<model>}; removes what was half written.
     *
     * @throws IOException also if another process has it open
     */
    public static CheckpointStore open(Path directory, String model) throws IOException {
        Path root = directory.resolve(model);
        Durable.createDirectories(root);
        FileChannel channel =
                FileChannel.open(root.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw new OverlappingFileLockException();
            }
        } catch (OverlappingFileLockException e) {
            channel.close();
            throw new IOException(
                    "Checkpoint store " + root
                            + " is in use by another trainer. Stop it, or use another tidemill.data.",
                    e);
        }
        CheckpointStore store = new CheckpointStore(model, root, channel);
        store.removeHalfWritten();
        return store;
    }

    /**
     * The store as it is, to read from; whoever has it open goes on.
     *
     * @throws NoSuchFileException if there is none
     */
    public static CheckpointStore read(Path directory, String model) throws IOException {
        Path root = directory.resolve(model);
        if (!Files.isDirectory(root)) {
            throw new NoSuchFileException(root.toString(), null, "There is no checkpoint store of " + model + " here.");
        }
        return new CheckpointStore(model, root, null);
    }

    private void removeHalfWritten() throws IOException {
        for (Path path : list()) {
            if (path.getFileName().toString().startsWith(ASIDE)) {
                Durable.deleteTree(path);
            }
        }
    }

    private List<Path> list() throws IOException {
        try (Stream<Path> paths = Files.list(root)) {
            return paths.toList();
        }
    }

    /** Versions on disk, oldest first. */
    public List<VersionId> versions() throws IOException {
        return list().stream()
                .map(path -> path.getFileName().toString())
                .filter(name -> !name.startsWith("."))
                .map(VersionId::parse)
                .sorted()
                .toList();
    }

    public boolean has(VersionId version) {
        return Files.isRegularFile(directory(version).resolve(Manifest.FILE));
    }

    /** Has it weights, so that it can be served, promoted and trained on? */
    public boolean hasWeights(VersionId version) {
        return has(version) && Files.isRegularFile(directory(version).resolve("config.json"));
    }

    public Path directory(VersionId version) {
        if (!version.model().equals(model)) {
            throw new IllegalArgumentException("This store holds versions of " + model + ", not " + version);
        }
        return root.resolve(version.toString());
    }

    /** Where the next round's float32 weights come from: the private masters, or the public files where those are it. */
    public Path masters(VersionId version) {
        Path masters = directory(version).resolve(STATE).resolve("masters");
        return Files.isDirectory(masters) ? masters : directory(version);
    }

    /** A new, empty directory to write a version in. */
    public Path aside(VersionId version) throws IOException {
        return Files.createTempDirectory(root, ASIDE + version + "-");
    }

    /**
     * Flushes the directory aside and gives it its name; from then on the version exists.
     *
     * @param last run when all is flushed; what it throws leaves everything as it was
     */
    public void publish(Path aside, VersionId version, Runnable last) throws IOException {
        Path target = directory(version);
        if (Files.exists(target)) {
            throw new FileAlreadyExistsException(target.toString(), null, "A version is written once.");
        }
        Durable.flushTree(aside);
        last.run();
        Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        Durable.flushDirectory(root);
    }

    /** The same, with nothing run before. */
    public void publish(Path aside, VersionId version) throws IOException {
        publish(aside, version, () -> {});
    }

    public Manifest manifest(VersionId version) throws IOException {
        return Manifest.read(directory(version));
    }

    /**
     * The manifest of a version, if it is the one that was announced.
     *
     * @throws DamagedFileException if it is another
     */
    public Manifest manifest(CheckpointEvent announced) throws IOException {
        Path directory = directory(VersionId.parse(announced.getVersion()));
        try {
            FileDigests.verify(
                    directory,
                    announced.getFilesList().stream()
                            .filter(file -> file.getPath().equals(Manifest.FILE))
                            .toList());
        } catch (IOException e) {
            throw new DamagedFileException("The manifest of " + announced.getVersion()
                    + " in the store is not what was announced: " + e.getMessage() + " Put it back from a copy.");
        }
        return Manifest.read(directory);
    }

    /**
     * Checks that a version is what was announced, its private masters, suites and ledger included: before anybody trains
     * on it. Reads all of it once, which is little beside a round; not its deltas, by which nobody trains.
     *
     * @throws DamagedFileException with the first file that differs
     */
    public void verify(CheckpointEvent announced) throws IOException {
        Path directory = directory(VersionId.parse(announced.getVersion()));
        String flaw;
        try {
            FileDigests.verify(directory, announced.getFilesList());
            List<String> flaws = Sums.flaws(directory.resolve(STATE), true);
            if (flaws.isEmpty()) {
                return;
            }
            flaw = flaws.get(0);
        } catch (IOException e) {
            flaw = e.getMessage();
        }
        throw new DamagedFileException(announced.getVersion() + " in the store is not what was announced: " + flaw
                + " No round starts from it or is judged by it. Put the file back from a copy"
                + (announced.getParent().isEmpty() ? "." : ", or roll back to " + announced.getParent() + "."));
    }

    /**
     * The digests that {@link #verify} compares private files with, and the manifest's own, which nobody else may vouch for;
     * the last thing before a version is published.
     */
    public static void seal(Path aside) throws IOException {
        Sums.write(Files.createDirectories(aside.resolve(STATE)), List.of("../" + Manifest.FILE));
    }

    /** A public file of a version: one that its manifest lists, a delta included, the manifest or a signature; nothing else can be reached. */
    public Optional<Path> publicFile(VersionId version, String path) throws IOException {
        if (!version.model().equals(model) || !has(version)) {
            return Optional.empty();
        }
        boolean listed = path.equals(Manifest.FILE)
                || Manifest.SIGNATURES.contains(path)
                || isListed(manifest(version).event(), path);
        return listed ? Optional.of(directory(version).resolve(path)).filter(Files::isRegularFile) : Optional.empty();
    }

    private static boolean isListed(CheckpointEvent event, String path) {
        return Stream.concat(event.getFilesList().stream(), Deltas.of(event).stream())
                .map(FileDigest::getPath)
                .anyMatch(path::equals);
    }

    /**
     * Takes weights, masters, suites and slices of old versions away; manifest, signatures, card, ledger and probe stay.
     *
     * @param full   how many of the newest versions with weights stay whole
     * @param oldest made before it, a version does not stay whole even so
     * @param kept   never touched
     */
    public void prune(int full, Instant oldest, Set<VersionId> kept) throws IOException {
        List<VersionId> whole = versions().stream().filter(this::hasWeights).toList();
        for (int i = 0; i < whole.size(); i++) {
            VersionId version = whole.get(i);
            boolean many = i < whole.size() - full;
            if (!kept.contains(version) && (many || made(version).isBefore(oldest))) {
                prune(directory(version));
            }
        }
    }

    private Instant made(VersionId version) throws IOException {
        return Instant.ofEpochMilli(
                Timestamps.toMillis(manifest(version).event().getEventTime()));
    }

    private static void prune(Path version) throws IOException {
        Files.deleteIfExists(version.resolve("config.json")); // first: without it nobody takes the rest for a model
        try (Stream<Path> paths = Files.list(version)) {
            for (Path path : paths.toList()) {
                if (!KEPT_WHEN_PRUNED.contains(path.getFileName().toString())) {
                    Durable.deleteTree(path);
                }
            }
        }
        if (!Files.isDirectory(version.resolve(STATE))) {
            return;
        }
        try (Stream<Path> paths = Files.list(version.resolve(STATE))) {
            for (Path path : paths.toList()) {
                if (!Set.of(Ledger.FILE, ProvenanceIndex.FILE, QuarantinedRecords.FILE, Sums.FILE)
                        .contains(path.getFileName().toString())) {
                    Durable.deleteTree(path);
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        if (lock != null) {
            lock.close();
        }
    }
}
