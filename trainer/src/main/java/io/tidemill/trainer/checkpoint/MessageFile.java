package io.tidemill.trainer.checkpoint;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.tidemill.trainer.data.Hashes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** A private file of messages, each after its length as a varint. */
public final class MessageFile {
    private MessageFile() {}

    /** Writes or replaces it, flushed; where sums of its directory are kept they allow it. */
    public static void write(Path file, List<? extends Message> messages) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        messages.forEach(message -> {
            try {
                message.writeDelimitedTo(bytes);
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
        });
        Sums.allow(
                file.getParent(),
                file.getFileName().toString(),
                HexFormat.of().formatHex(Hashes.sha256(bytes.toByteArray())));
        Durable.write(file, bytes.toByteArray());
    }

    /** Nothing where the file is absent. */
    public static <M extends Message> List<M> read(Path file, Parser<M> parser) throws IOException {
        List<M> messages = new ArrayList<>();
        if (Files.exists(file)) {
            try (InputStream in = Files.newInputStream(file)) {
                for (M message = parser.parseDelimitedFrom(in);
                        message != null;
                        message = parser.parseDelimitedFrom(in)) {
                    messages.add(message);
                }
            }
        }
        return messages;
    }
}
