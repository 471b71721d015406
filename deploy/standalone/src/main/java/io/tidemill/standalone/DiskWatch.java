package io.tidemill.standalone;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Looks once a second how much room the data directory's disk has, and stops the mill in order while there is some left:
 * on a full disk Kafka ends the process where it stands.
 */
final class DiskWatch implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final long MEBIBYTE = 1024 * 1024;

    /** Room for what stopping writes. Unit: MiB. */
    private static final long LEAST_MEBIBYTES = 128;

    private final Path directory;
    private final Room room;
    private final PrintStream errors;
    private final Runnable stop;
    private final Thread thread = new Thread(this::run, "tidemill-disk");

    /** Free bytes of a disk. */
    interface Room {
        long bytes() throws IOException;
    }

    DiskWatch(Path directory, Room room, PrintStream errors, Runnable stop) {
        this.directory = directory;
        this.room = room;
        this.errors = errors;
        this.stop = stop;
        thread.setDaemon(true);
    }

    /** @param stop asks the mill to stop; called once at most */
    static DiskWatch of(Path directory, PrintStream errors, Runnable stop) {
        return new DiskWatch(
                directory,
                () -> {
                    FileStore disk = Files.getFileStore(directory);
                    return disk.getUsableSpace();
                },
                errors,
                stop);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (!look()) {
                Thread.sleep(PAUSE.toMillis());
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops the mill if there is too little room; whether it did. */
    boolean look() {
        try {
            long left = room.bytes() / MEBIBYTE;
            if (left >= LEAST_MEBIBYTES) {
                return false;
            }
            errors.println("tidemill: The disk of --data " + directory + " has only " + left
                    + " MiB left, so Tidemill stops; make room and start it again: what was acknowledged is kept.");
        } catch (IOException unknown) {
            return false; // a disk that does not tell is not full
        }
        stop.run();
        return true;
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
