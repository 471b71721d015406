package io.tidemill.standalone.torture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Ids in a file, one a line, flushed before anybody is told: what was acknowledged, as the client remembers it. */
final class Journal {
    private final Path file;
    private final Set<String> ids = new HashSet<>();

    Journal(Path file) throws IOException {
        this.file = file;
        if (Files.exists(file)) {
            List<String> lines = Files.readAllLines(file);
            boolean cut = !lines.isEmpty() && !Files.readString(file).endsWith("\n");
            ids.addAll(cut ? lines.subList(0, lines.size() - 1) : lines);
            if (cut) {
                Files.writeString(file, ids.stream().map(id -> id + "\n").collect(Collectors.joining()));
            }
        }
    }

    synchronized void add(Collection<String> more) throws IOException {
        String text = more.stream().map(id -> id + "\n").collect(Collectors.joining());
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        ids.addAll(more);
    }

    synchronized Set<String> ids() {
        return Set.copyOf(ids);
    }
}
