package io.tidemill.model.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.stream.Stream;

/** How an adapter's directory comes to be: written aside, looked at, and only then given its name. */
final class AdapterDirectory {
    private AdapterDirectory() {}

    /** Something done with files. */
    interface Step {
        void run(Path aside) throws IOException;
    }

    /**
     * @param directory does not exist yet
     * @param write     writes the files, flushed
     * @param check     throws if what was written is not what was meant; nothing is left behind then
     */
    static void publish(Path directory, Step write, Step check) {
        if (Files.exists(directory)) {
            throw new IllegalArgumentException(
                    directory + " exists already. An adapter is written to a directory of its own");
        }
        Path target = directory.toAbsolutePath();
        Path aside = target.resolveSibling(target.getFileName() + ".part");
        try {
            delete(aside); // of a run that was stopped
            write.run(aside);
            check.run(aside);
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
            ModelFiles.flushDirectory(target.getParent());
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write the adapter to " + directory + ": " + e.getMessage(), e);
        } finally {
            deleteQuietly(aside);
        }
    }

    private static void delete(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static void deleteQuietly(Path directory) {
        try {
            delete(directory);
        } catch (IOException left) {
            // The next attempt deletes it, or says why it cannot.
        }
    }
}
