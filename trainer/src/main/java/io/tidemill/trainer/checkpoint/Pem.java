package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What stands between the BEGIN and END lines of a PEM file (RFC 7468). */
final class Pem {
    private Pem() {}

    /**
     * The bytes under a label.
     *
     * @throws IOException if the file cannot be read or has nothing under this label
     */
    static byte[] read(Path file, String label) throws IOException {
        if (!Files.isReadable(file)) {
            throw new IOException("there is no such file, or it may not be read");
        }
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        Matcher matcher = Pattern.compile(
                        "-----BEGIN " + label + "-----([A-Za-z0-9+/=\\s]*)-----END " + label + "-----")
                .matcher(text);
        if (!matcher.find()) {
            throw new IOException("it has no lines from 'BEGIN " + label + "' to 'END " + label + "'");
        }
        try {
            return Base64.getDecoder().decode(matcher.group(1).replaceAll("\\s", ""));
        } catch (IllegalArgumentException e) {
            throw new IOException("what stands under 'BEGIN " + label + "' is not base64", e);
        }
    }
}
