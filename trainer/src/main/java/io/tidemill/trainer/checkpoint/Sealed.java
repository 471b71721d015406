package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Small files of the trainer's own that tell whether they are as they were written: the last line is {@code sha256}, a space
 * and the digest of all before it. Replaced as {@link Durable} does. What a disk changes is noticed, whichever bit it is.
 */
public final class Sealed {
    private static final Logger LOG = LoggerFactory.getLogger(Sealed.class);
    private static final byte[] MARK = "sha256 ".getBytes(StandardCharsets.US_ASCII);
    private static final int SEAL_BYTES = MARK.length + 64 + 1;

    private Sealed() {}

    /** @param content ends with a line break where it is text */
    public static void write(Path file, byte[] content) throws IOException {
        byte[] seal = seal(content);
        byte[] all = Arrays.copyOf(content, content.length + seal.length);
        System.arraycopy(seal, 0, all, content.length, seal.length);
        Durable.write(file, all);
    }

    public static void write(Path file, String content) throws IOException {
        write(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The content; empty where there is no such file.
     *
     * @throws DamagedFileException if it is not as it was written
     */
    public static Optional<byte[]> read(Path file) throws IOException {
        byte[] all;
        try {
            all = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        int length = all.length - SEAL_BYTES;
        if (length >= 0) {
            byte[] content = Arrays.copyOf(all, length);
            if (Arrays.equals(seal(content), Arrays.copyOfRange(all, length, all.length))) {
                return Optional.of(content);
            }
        }
        throw new DamagedFileException(file + " is not as it was written: the digest in its last line does not fit its "
                + all.length + " bytes.");
    }

    /** The content; of a damaged file, which is deleted, as little as of an absent one. */
    public static Optional<byte[]> readOrForget(Path file) throws IOException {
        try {
            return read(file);
        } catch (DamagedFileException e) {
            LOG.warn("{} It is made again.", e.getMessage());
            Files.deleteIfExists(file);
            return Optional.empty();
        }
    }

    private static byte[] seal(byte[] content) {
        try {
            String digest = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(content));
            byte[] seal = Arrays.copyOf(MARK, SEAL_BYTES);
            System.arraycopy(digest.getBytes(StandardCharsets.US_ASCII), 0, seal, MARK.length, 64);
            seal[SEAL_BYTES - 1] = '\n';
            return seal;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }
}
