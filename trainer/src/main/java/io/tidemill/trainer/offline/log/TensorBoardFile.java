package io.tidemill.trainer.offline.log;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Scalars as TensorBoard reads them: TensorFlow's {@code Event} messages in the frames of its record files.
 *
 * <pre>  length uint64 LE · masked CRC of it uint32 LE · event · masked CRC of that uint32 LE
 *   masked(c) = rotate right(c, 15) + 0xa282ead8  </pre>
 *
 * <p>Source: tensorflow/core/lib/io/record_writer.h and core/util/event.proto; CRC-32C (Castagnoli).
 */
public final class TensorBoardFile implements AutoCloseable {
    private static final int MASK = 0xa282ead8;
    private static final int SESSION_START = 1;

    private final FileChannel channel;
    private final Clock clock;

    /**
     * Begins a new file in the directory.
     *
     * @param afterStep steps done before; what an earlier file says of later ones no longer counts
     */
    public TensorBoardFile(Path directory, Clock clock, long afterStep) throws IOException {
        this.clock = clock;
        Files.createDirectories(directory);
        this.channel = FileChannel.open(
                free(directory, clock.millis() / 1000), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        write(event(0, out -> out.writeString(3, "brain.Event:2")));
        if (afterStep > 0) {
            byte[] session = message(out -> out.writeEnum(1, SESSION_START));
            write(event(afterStep + 1, out -> out.writeByteArray(7, session)));
        }
    }

    /** Files are read in the order of their names, and a second may see several begin. */
    private static Path free(Path directory, long second) {
        for (int number = 0; ; number++) {
            Path file = directory.resolve(String.format("events.out.tfevents.%010d.tidemill.%03d", second, number));
            if (!Files.exists(file)) {
                return file;
            }
        }
    }

    /** Adds what is known of a step, flushed to the system. */
    public void add(long step, Map<String, Double> scalars) throws IOException {
        byte[] summary = message(out -> {
            for (Map.Entry<String, Double> scalar : scalars.entrySet()) {
                byte[] value = message(inner -> {
                    inner.writeString(1, scalar.getKey());
                    inner.writeFloat(2, scalar.getValue().floatValue());
                });
                out.writeByteArray(1, value);
            }
        });
        write(event(step, out -> out.writeByteArray(5, summary)));
    }

    /** Fields of one message. */
    @FunctionalInterface
    private interface Body {
        void writeTo(CodedOutputStream out) throws IOException;
    }

    private byte[] event(long step, Body what) throws IOException {
        return message(out -> {
            out.writeDouble(1, clock.millis() / 1000.0);
            out.writeInt64(2, step);
            what.writeTo(out);
        });
    }

    private static byte[] message(Body body) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        body.writeTo(out);
        out.flush();
        return bytes.toByteArray();
    }

    private void write(byte[] event) throws IOException {
        byte[] length = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(event.length)
                .array();
        ByteBuffer frame = ByteBuffer.allocate(Long.BYTES + 2 * Integer.BYTES + event.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(length)
                .putInt(masked(length))
                .put(event)
                .putInt(masked(event))
                .flip();
        while (frame.hasRemaining()) {
            channel.write(frame);
        }
    }

    static int masked(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
