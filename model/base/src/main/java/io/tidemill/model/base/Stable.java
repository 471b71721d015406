package io.tidemill.model.base;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** A number drawn from an id, the same on every machine and in every release. */
final class Stable {
    private Stable() {}

    /** From 0 to {@code below - 1}; different {@code purpose}s draw independently of each other. */
    static int draw(String purpose, String id, int below) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest((purpose + "\n" + id).getBytes(StandardCharsets.UTF_8));
            return (int) Long.remainderUnsigned(ByteBuffer.wrap(digest).getLong(), below);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
