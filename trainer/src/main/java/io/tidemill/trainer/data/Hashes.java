package io.tidemill.trainer.data;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256, which every Java has. */
public final class Hashes {
    private Hashes() {}

    static byte[] sha256(String text) {
        return sha256(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Of the parts one behind the other. */
    public static byte[] sha256(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }

    /** A number from 0 to below 1 that the parts, one behind the other, decide. */
    public static double fraction(byte[]... parts) {
        return (longAt(sha256(parts), 0) >>> 11) * 0x1p-53;
    }

    /** Eight bytes from an index, big-endian. */
    public static long longAt(byte[] bytes, int index) {
        return ByteBuffer.wrap(bytes).getLong(index);
    }
}
