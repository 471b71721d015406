package io.tidemill.proto.checkpoint;

import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** Lengths and SHA-256 of files: how a published version proves that it arrived whole. */
public final class FileDigests {
    private static final int BUFFER_BYTES = 1 << 16;

    private FileDigests() {}

    /** Path relative to the root with forward slashes, length in bytes, SHA-256 in hexadecimal. */
    public static FileDigest of(Path root, Path file) throws IOException {
        MessageDigest digest = sha256();
        long length = 0;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
                length += n;
            }
        }
        return FileDigest.newBuilder()
                .setPath(root.relativize(file).toString().replace('\\', '/'))
                .setLength(length)
                .setSha256(HexFormat.of().formatHex(digest.digest()))
                .build();
    }

    /** SHA-256 of bytes in hexadecimal. */
    public static String sha256(byte[] content) {
        return HexFormat.of().formatHex(sha256().digest(content));
    }

    /** Checks that every file is there with its length and digest; the first that differs is the exception. */
    public static void verify(Path root, List<FileDigest> files) throws IOException {
        for (FileDigest expected : files) {
            Path file = inside(root, expected.getPath());
            if (!Files.isRegularFile(file)) {
                throw new IOException("File " + expected.getPath() + " is missing in " + root + ".");
            }
            if (Files.size(file) != expected.getLength()) {
                throw new IOException("File " + expected.getPath() + " in " + root + " has " + Files.size(file)
                        + " bytes instead of " + expected.getLength() + ".");
            }
            FileDigest found = of(root, file);
            if (!found.getSha256().equalsIgnoreCase(expected.getSha256())) {
                throw new IOException("File " + expected.getPath() + " in " + root + " has SHA-256 " + found.getSha256()
                        + " instead of " + expected.getSha256() + ".");
            }
        }
    }

    /** The file of that relative path; a path that leads out of the root is refused. */
    static Path inside(Path root, String relative) throws IOException {
        Path normal = root.toAbsolutePath().normalize();
        Path file = normal.resolve(relative).normalize();
        if (relative.isEmpty() || !file.startsWith(normal) || file.equals(normal)) {
            throw new IOException("The path '" + relative + "' does not name a file inside the version.");
        }
        return file;
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("Every Java platform has SHA-256.", impossible);
        }
    }
}
