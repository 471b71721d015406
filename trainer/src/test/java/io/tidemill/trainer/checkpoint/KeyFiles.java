package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;

/**
 * Two PEM files of a pair of keys.
 *
 * @param secret PKCS#8
 * @param shown  SubjectPublicKeyInfo
 */
public record KeyFiles(Path secret, Path shown) {
    /** What RFC 8410 puts before the 32 bytes of an Ed25519 key. */
    private static final String PKCS8 = "302e020100300506032b657004220420";

    private static final String INFO = "302a300506032b6570032100";

    /** A new pair of Ed25519. */
    public static KeyFiles write(Path file) {
        try {
            return write(file, KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Made by OpenSSL; of P-256, P-384 or P-521. */
    public static KeyFiles onCurve(String curve) {
        return new KeyFiles(fixture(curve + ".pem"), fixture(curve + ".pub.pem"));
    }

    private static Path fixture(String name) {
        return Path.of(
                URI.create(KeyFiles.class.getResource("/model-signing/" + name).toString()));
    }

    static KeyFiles write(Path file, KeyPair keys) {
        return write(file, keys.getPrivate().getEncoded(), keys.getPublic().getEncoded());
    }

    /** @param secret 32 bytes in hexadecimal, as is {@code shown} */
    static KeyFiles write(Path file, String secret, String shown) {
        return write(
                file, HexFormat.of().parseHex(PKCS8 + secret), HexFormat.of().parseHex(INFO + shown));
    }

    private static KeyFiles write(Path file, byte[] pkcs8, byte[] info) {
        try {
            return new KeyFiles(
                    Files.writeString(file.resolveSibling(file.getFileName() + ".pem"), pem("PRIVATE KEY", pkcs8)),
                    Files.writeString(file.resolveSibling(file.getFileName() + ".pub.pem"), pem("PUBLIC KEY", info)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                        .encodeToString(der)
                + "\n-----END " + label + "-----\n";
    }
}
