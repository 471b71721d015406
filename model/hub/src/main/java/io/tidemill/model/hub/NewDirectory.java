package io.tidemill.model.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Directories that are written aside and get their name when they are whole. */
final class NewDirectory {
    private NewDirectory() {}

    @FunctionalInterface
    interface Writer {
        void write(Path aside, Path scratch) throws IOException;
    }

    /**
     * Makes a directory that was not there, or was empty.
     *
     * @param writer gets the directory to fill, and one for what is not kept
     * @throws IllegalArgumentException if there is something already
     */
    static Path make(Path output, Writer writer) throws IOException {
        Path target = output.toAbsolutePath().normalize();
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS) && !isEmptyDirectory(target)) {
            throw new IllegalArgumentException(output + " is there already and not empty; choose another directory");
        }
        Files.createDirectories(target.getParent());
        String mark = UUID.randomUUID().toString();
        Path aside = Files.createDirectory(target.resolveSibling("." + target.getFileName() + "." + mark));
        Path scratch =
                Files.createDirectory(target.resolveSibling("." + target.getFileName() + "." + mark + ".scratch"));
        Thread whenEnded = new Thread(() -> deleteQuietly(scratch, aside), "new-directory-removal"); // on Ctrl-C
        Runtime.getRuntime().addShutdownHook(whenEnded);
        try {
            writer.write(aside, scratch);
            flush(aside);
            Files.deleteIfExists(target); // an empty one
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
            flush(target.getParent());
            return target;
        } finally {
            deleteTree(scratch);
            deleteTree(aside);
            forget(whenEnded);
        }
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException ending) {
            // it runs
        }
    }

    private static void deleteQuietly(Path... directories) {
        for (Path directory : directories) {
            try {
                deleteTree(directory);
            } catch (IOException e) {
                // The process ends; what is left is hidden beside the output.
            }
        }
    }

    static boolean isEmptyDirectory(Path path) throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            return !entries.iterator().hasNext();
        }
    }

    /** A file that is on the disk when this returns. */
    static void text(Path file, String content) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    static void flush(Path directory) throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    /** Deletes a directory that we made, if it is there; links in it are deleted, not followed. */
    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(root)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }
}
