package io.tidemill.preprocess.stream;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Remembers on disk whether an application's stores were closed in order. Where they were not, they may hold what no
 * transaction committed (KAFKA-20685), and are deleted to be rebuilt from their changelogs, which exactly-once Streams
 * does after an unclean stop anyway. The process id beside them stays, so that the next start fences the transaction
 * that the last one left open instead of waiting for its timeout.
 */
final class StopMark {
    private static final Logger LOG = Logger.getLogger(StopMark.class);
    private static final Pattern TASK = Pattern.compile("[0-9]+_[0-9]+");

    private final Path mark;
    private final Path stores;

    StopMark(Path directory, String applicationId) {
        this.mark = directory.resolve(applicationId + ".stopped");
        this.stores = directory.resolve(applicationId);
    }

    /** The application starts: from now on, and until {@link #stopped()}, its stores are not to be trusted. */
    void starts() {
        try {
            Files.createDirectories(mark.getParent());
            if (Files.deleteIfExists(mark)) {
                force(mark.getParent());
            } else {
                deleteTasks();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The stores in " + stores + " cannot be prepared: " + e, e);
        }
    }

    /** All stores are closed, and hold what was committed. */
    void stopped() {
        try {
            Files.writeString(mark, "The stores of this application were closed in order.\n");
        } catch (IOException e) {
            LOG.warnf("%s cannot be written (%s): the next start rebuilds the stores.", mark, e);
        }
    }

    private void deleteTasks() throws IOException {
        List<Path> tasks;
        try (Stream<Path> entries = Files.list(stores)) {
            tasks = entries.filter(entry ->
                            TASK.matcher(entry.getFileName().toString()).matches())
                    .toList();
        } catch (NoSuchFileException firstStart) {
            return;
        }
        for (Path task : tasks) {
            deleteTree(task);
        }
        if (!tasks.isEmpty()) {
            LOG.infof("%s was not stopped in order: its %d stores are rebuilt.", stores.getFileName(), tasks.size());
        }
    }

    private static void deleteTree(Path root) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(root)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }

    /** Makes the mark's absence survive a power cut, where the system lets a directory be forced. */
    private static void force(Path directory) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException notOnThisSystem) {
            LOG.debugf("Directory %s cannot be forced to disk: %s", directory, notOnThisSystem);
        }
    }
}
