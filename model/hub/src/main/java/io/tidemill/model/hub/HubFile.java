package io.tidemill.model.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;

/**
 * A file as the hub's list has it.
 *
 * @param name  a plain file name: it cannot lead out of a directory
 * @param bytes its size
 */
record HubFile(String name, long bytes, ContentDigest digest) {
    private static final long MOST_BYTES = 1L << 50;

    HubFile {
        if (!Names.isPlain(name)) {
            throw new IllegalArgumentException("'" + name + "' is no plain file name");
        }
        if (bytes < 0 || bytes > MOST_BYTES) {
            throw new IllegalArgumentException(name + " cannot have " + bytes + " bytes");
        }
    }

    /** Whether the directory has this file, to the byte. */
    boolean isIn(Path directory) throws IOException {
        Path file = directory.resolve(name);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != bytes) {
            return false;
        }
        MessageDigest found = digest.begin(bytes);
        ContentDigest.update(found, file);
        return ContentDigest.hex(found).equals(digest.hex());
    }
}
