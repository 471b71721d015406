package io.tidemill.model.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Where a pull goes: {@code NAME}, and {@code .NAME.pull} beside it until all is whole, which outlives a cut.
 * {@code tidemill-source.json} tells where a directory is from; one without it is never replaced.
 */
final class PullDirectory implements Closeable {
    static final String SOURCE = "tidemill-source.json";
    private static final String LOCK = ".lock";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path target;
    private final Path aside;
    private FileChannel lockFile;

    private PullDirectory(Path target) {
        this.target = target;
        this.aside = target.resolveSibling("." + target.getFileName() + ".pull");
    }

    /**
     * Takes the place for one pull.
     *
     * @throws HubException if something is there that no pull of this model made, or if another pull is at work
     */
    static PullDirectory open(Path output, String endpoint, ModelId model) throws IOException {
        Path target = output.toAbsolutePath().normalize();
        if (target.getFileName() == null) {
            throw new HubException("--output " + output + " cannot be a model's directory");
        }
        PullDirectory directory = new PullDirectory(target);
        directory.checkReplaceable(output, endpoint, model);
        Files.createDirectories(directory.aside);
        directory.lock(output);
        return directory;
    }

    private void checkReplaceable(Path output, String endpoint, ModelId model) throws IOException {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS) || NewDirectory.isEmptyDirectory(target)) {
            return;
        }
        JsonNode source = source().orElseThrow(() -> new HubException(
                output + " is there already and was not pulled; choose another directory with --output"));
        if (!source.path("model").asText().equals(model.value())
                || !source.path("endpoint").asText().equals(endpoint)) {
            throw new HubException(output + " holds "
                    + Names.shown(source.path("model").asText()) + " of "
                    + Names.shown(source.path("endpoint").asText()) + "; choose another directory with --output");
        }
        Set<String> ours = new HashSet<>(List.of(SOURCE));
        source.path("files").fieldNames().forEachRemaining(ours::add);
        try (Stream<Path> files = Files.list(target)) {
            Optional<String> other = files.map(file -> file.getFileName().toString())
                    .filter(name -> !ours.contains(name))
                    .sorted()
                    .findFirst();
            if (other.isPresent()) {
                throw new HubException(output + " holds " + Names.shown(other.get())
                        + ", which was not pulled and would be lost; choose another directory with --output");
            }
        }
    }

    private Optional<JsonNode> source() throws IOException {
        Path file = target.resolve(SOURCE);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readTree(Files.readString(file)));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** Whether the directory is there and has been pulled of this commit. */
    boolean isOf(String commit) throws IOException {
        return source().filter(source -> source.path("commit").asText().equals(commit))
                .isPresent();
    }

    /** The files that the directory is said to have, of those listed. */
    Set<String> named() throws IOException {
        Set<String> names = new HashSet<>();
        source().ifPresent(source -> source.path("files").fieldNames().forEachRemaining(names::add));
        return names;
    }

    private void lock(Path output) throws IOException {
        lockFile = FileChannel.open(aside.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = lockFile.tryLock();
        } catch (OverlappingFileLockException e) {
            // by this process
        }
        if (lock == null) {
            lockFile.close();
            throw new HubException("Another pull is writing to " + output + "; wait for it, or stop it");
        }
    }

    Path target() {
        return target;
    }

    Path aside() {
        return aside;
    }

    /** Whether the file is whole aside; taken over from an older pull if that has the same. */
    boolean has(HubFile file) throws IOException {
        if (file.isIn(aside)) {
            return true;
        }
        if (!file.isIn(target)) {
            return false;
        }
        Path to = aside.resolve(file.name());
        Files.deleteIfExists(to);
        try {
            Files.createLink(to, target.resolve(file.name()));
        } catch (IOException | UnsupportedOperationException e) {
            Files.copy(target.resolve(file.name()), to);
        }
        return true;
    }

    /** Gives the directory its name, with these files and where they are from; whatever else lies aside goes. */
    void publish(String endpoint, ModelId model, String revision, String commit, Collection<HubFile> files)
            throws IOException {
        ObjectNode source = JSON.createObjectNode()
                .put("endpoint", endpoint)
                .put("model", model.value())
                .put("revision", revision)
                .put("commit", commit);
        ObjectNode digests = source.putObject("files");
        for (HubFile file : files) {
            digests.put(file.name(), file.digest().toString());
        }
        NewDirectory.text(aside.resolve(SOURCE), WordPieceFiles.text(source));
        Set<String> kept =
                new HashSet<>(digests.properties().stream().map(e -> e.getKey()).toList());
        kept.add(SOURCE);
        close();
        try (Stream<Path> all = Files.list(aside)) {
            for (Path file : all.toList()) {
                if (!kept.contains(file.getFileName().toString())) {
                    NewDirectory.deleteTree(file);
                }
            }
        }
        NewDirectory.flush(aside);
        Path old = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".old");
        boolean replaced = Files.exists(target);
        if (replaced) {
            Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        }
        try {
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (replaced) {
                Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            }
            throw e;
        }
        NewDirectory.flush(target.getParent());
        NewDirectory.deleteTree(old);
    }

    /** Lets the place go; removes it if nothing has come. */
    @Override
    public void close() throws IOException {
        if (!lockFile.isOpen()) {
            return;
        }
        lockFile.close();
        Files.deleteIfExists(aside.resolve(LOCK));
        if (NewDirectory.isEmptyDirectory(aside)) {
            Files.deleteIfExists(aside);
        }
    }
}
