package io.tidemill.model.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What a file must hash to, and how. */
record ContentDigest(Kind kind, String hex) {
    private static final int BUFFER_BYTES = 1 << 16;

    enum Kind {
        /** Of files in LFS: SHA-256 of the bytes. */
        SHA256("SHA-256", 64),
        /** Of all others git's name: SHA-1 of {@code "blob <bytes>\0"} and the bytes. Source: git-scm.com, "Git Objects". */
        GIT_BLOB("SHA-1", 40);

        private final String algorithm;
        private final int digits;

        Kind(String algorithm, int digits) {
            this.algorithm = algorithm;
            this.digits = digits;
        }
    }

    ContentDigest {
        if (!hex.matches("[0-9a-f]{" + kind.digits + "}")) {
            throw new IllegalArgumentException(
                    "A " + kind.algorithm + " has " + kind.digits + " hexadecimal digits, but this is '" + hex + "'");
        }
    }

    /** A digest to which a file of this size is to be given. */
    MessageDigest begin(long bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance(kind.algorithm);
            if (kind == Kind.GIT_BLOB) {
                digest.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
            }
            return digest;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-1 and SHA-256", e);
        }
    }

    /** Gives the digest what the file holds. */
    static void update(MessageDigest digest, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
    }

    static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public String toString() {
        return kind.algorithm + " " + hex;
    }
}
