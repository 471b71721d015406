package io.tidemill.standalone.torture;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A small file system that can be filled: a tmpfs, which only root can mount. */
final class Disk implements AutoCloseable {
    /** Of a lineage's disk in its directory. */
    static final String NAME = "disk";

    private static final String FILLER = "filler";

    private final Path directory;
    private final boolean small;

    private Disk(Path directory, boolean small) {
        this.directory = directory;
        this.small = small;
    }

    /** Mounts it, unless it is mounted; where that is not allowed it is a directory like any other. */
    static Disk at(Path directory, int megabytes) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        boolean small = isSmall(directory, megabytes);
        if (!small) {
            try {
                Process mount = new ProcessBuilder(
                                "mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "tmpfs", directory.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                mount.waitFor(10, TimeUnit.SECONDS);
                small = isSmall(directory, megabytes);
            } catch (IOException noMount) {
                small = false;
            }
        }
        Files.deleteIfExists(directory.resolve(FILLER));
        return new Disk(directory, small);
    }

    private static boolean isSmall(Path directory, int megabytes) throws IOException {
        FileStore store = Files.getFileStore(directory);
        return store.getTotalSpace() <= (long) megabytes << 20;
    }

    Path directory() {
        return directory;
    }

    /** Can it be filled without filling anybody else's? */
    boolean small() {
        return small;
    }

    void fill() throws IOException {
        byte[] zeros = new byte[1 << 16];
        try (OutputStream out = Files.newOutputStream(directory.resolve(FILLER))) {
            while (true) {
                out.write(zeros);
            }
        } catch (IOException full) {
            // what it is for
        }
    }

    void free() throws IOException {
        Files.deleteIfExists(directory.resolve(FILLER));
    }

    /** Takes it away with all that is on it. */
    @Override
    public void close() throws IOException, InterruptedException {
        if (small) {
            unmount(directory);
        }
    }

    /** Takes away what a killed harness has left mounted there, if anything. */
    static void unmount(Path directory) throws IOException, InterruptedException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        new ProcessBuilder("umount", "-l", directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
