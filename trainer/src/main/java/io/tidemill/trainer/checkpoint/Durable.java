package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Files that survive a power cut: whole, or as they were before. */
public final class Durable {
    private Durable() {}

    /** Replaces a file at once: written aside, flushed, renamed, and the rename flushed. */
    public static void write(Path file, byte[] content) throws IOException {
        Path aside = file.resolveSibling("." + file.getFileName() + ".aside");
        try (FileChannel channel = FileChannel.open(
                aside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
        flushDirectory(file.toAbsolutePath().getParent());
    }

    public static void write(Path file, String content) throws IOException {
        write(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Flushes every file and directory below, and the directory itself. */
    public static void flushTree(Path directory) throws IOException {
        for (Path path : deepestFirst(directory)) {
            if (Files.isDirectory(path)) {
                flushDirectory(path);
            } else {
                try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                    channel.force(true);
                }
            }
        }
    }

    /** Makes names in a directory lasting; where the system cannot open a directory (Windows) it needs no such thing. */
    public static void flushDirectory(Path directory) throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    /** Makes a directory and what is missing above it, each name lasting. */
    public static void createDirectories(Path directory) throws IOException {
        Path absolute = directory.toAbsolutePath();
        if (!Files.isDirectory(absolute)) {
            createDirectories(absolute.getParent());
            Files.createDirectories(absolute);
            flushDirectory(absolute.getParent());
        }
    }

    /** Deletes a directory with all that is in it; an absent one is fine. */
    public static void deleteTree(Path directory) throws IOException {
        if (Files.exists(directory)) {
            for (Path path : deepestFirst(directory)) {
                Files.delete(path);
            }
        }
    }

    private static List<Path> deepestFirst(Path directory) throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            return paths.sorted(Comparator.reverseOrder()).toList();
        }
    }
}
