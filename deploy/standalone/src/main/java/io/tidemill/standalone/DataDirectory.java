package io.tidemill.standalone;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The data directory, held by this process.
 *
 * <p>It names its format in {@code format-version} and itself in {@code instance}; the lock is the operating system's and
 * ends with the process.
 */
final class DataDirectory implements AutoCloseable {
    /** Raised when an older release could no longer read what a newer one wrote. */
    static final String FORMAT = "1";

    private static final String FORMAT_FILE = "format-version";
    private static final String LOCK_FILE = "tidemill.lock";
    private static final String INSTANCE_FILE = "instance";
    private static final long MEBIBYTE = 1024 * 1024;

    /** Room for the log, the store and the work of a few rounds of the embedded model. Unit: MiB. */
    private static final long NEEDED_MEBIBYTES = 1024;

    private final FileChannel lock;
    private final String instance;

    private DataDirectory(FileChannel lock, String instance) {
        this.lock = lock;
        this.instance = instance;
    }

    /** Makes or checks the directory and holds it until closed. */
    static DataDirectory open(Path directory) {
        return open(directory, NEEDED_MEBIBYTES * MEBIBYTE);
    }

    static DataDirectory open(Path directory, long neededBytes) {
        try {
            if (Files.exists(directory) && !Files.isDirectory(directory)) {
                throw new CannotStartException("--data " + directory + " is a file, not a directory.");
            }
            boolean foreign = !Files.exists(directory.resolve(FORMAT_FILE)) && holdsFiles(directory);
            if (foreign) {
                throw new CannotStartException("--data " + directory
                        + " holds files but no format-version, so it is no data directory of Tidemill;"
                        + " choose another with --data.");
            }
            Files.createDirectories(directory);
            checkSpace(directory, neededBytes);
            FileChannel lock = lock(directory);
            try {
                checkFormat(directory);
                return new DataDirectory(lock, readInstance(directory));
            } catch (RuntimeException | IOException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new CannotStartException("--data " + directory + " cannot be used: " + e + ".", e);
        }
    }

    private static boolean holdsFiles(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return false;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(file -> !file.getFileName().toString().equals(LOCK_FILE));
        }
    }

    private static void checkSpace(Path directory, long neededBytes) throws IOException {
        long free = Files.getFileStore(directory).getUsableSpace();
        if (free < neededBytes) {
            throw new CannotStartException("The disk of --data " + directory + " has " + free / MEBIBYTE
                    + " MiB free, but Tidemill needs " + neededBytes / MEBIBYTE
                    + " MiB; make room, or choose another directory with --data.");
        }
    }

    private static FileChannel lock(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(directory.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (!locked(channel)) {
            channel.close();
            throw new CannotStartException("Another Tidemill is running on --data " + directory
                    + "; stop it, or choose another directory with --data.");
        }
        return channel;
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException heldInThisProcess) {
            return false;
        }
    }

    private static void checkFormat(Path directory) throws IOException {
        Path file = directory.resolve(FORMAT_FILE);
        if (!Files.exists(file)) {
            Files.writeString(file, FORMAT + "\n", UTF_8);
        }
        String found = Files.readString(file, UTF_8).strip();
        if (!found.equals(FORMAT)) {
            throw new CannotStartException("--data " + directory + " has format '" + found
                    + "', but this Tidemill reads format " + FORMAT
                    + "; use the release that wrote it, or choose another directory with --data.");
        }
    }

    /**
     * A name that no other data directory has, and that a restart keeps: among the mills that share a cluster the work of
     * preprocessing is dealt out by it.
     */
    String instance() {
        return instance;
    }

    private static String readInstance(Path directory) throws IOException {
        Path file = directory.resolve(INSTANCE_FILE);
        if (!Files.exists(file) || Files.size(file) == 0) {
            Files.writeString(file, "mill-" + UUID.randomUUID() + "\n", UTF_8);
        }
        return Files.readString(file, UTF_8).strip();
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
