package io.tidemill.trainer.offline.data;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The lines of a UTF-8 file one by one, each checked: a wrong byte spoils its line, not the file. */
final class TextLines implements AutoCloseable {
    private static final byte[] MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF}; // what Windows writes before UTF-8

    private final InputStream in;
    private long line;

    TextLines(Path file) throws IOException {
        in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        in.mark(MARK.length);
        byte[] start = in.readNBytes(MARK.length);
        if (!java.util.Arrays.equals(start, MARK)) {
            in.reset();
        }
    }

    /** The next line without its end; null after the last. */
    byte[] next() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int read = in.read();
        if (read < 0) {
            return null;
        }
        line++;
        for (; read >= 0 && read != '\n'; read = in.read()) {
            bytes.write(read);
        }
        byte[] whole = bytes.toByteArray();
        boolean carriage = whole.length > 0 && whole[whole.length - 1] == '\r';
        return carriage ? java.util.Arrays.copyOf(whole, whole.length - 1) : whole;
    }

    /** Number of the line that was read last, from 1. */
    long line() {
        return line;
    }

    /** Empty where it is not UTF-8. */
    static Optional<String> decode(byte[] bytes) {
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    static Mistake notUtf8() {
        return new Mistake("not-utf-8", "it is not UTF-8; save the file as UTF-8");
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
