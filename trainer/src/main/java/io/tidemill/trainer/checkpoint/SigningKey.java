package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** Signs manifests with Ed25519 (RFC 8032). It never shows its key. */
public final class SigningKey implements VersionSigner {
    static final String ALGORITHM = "Ed25519";

    private final PrivateKey key;

    private SigningKey(PrivateKey key) {
        this.key = key;
    }

    /**
     * Reads a private key in PKCS#8 PEM, as {@code openssl genpkey -algorithm ed25519} writes it.
     *
     * @throws IllegalArgumentException if that is not what the file holds; says what to do
     */
    public static SigningKey read(Path file) {
        try {
            return of(Pem.read(file, "PRIVATE KEY"));
        } catch (IOException | GeneralSecurityException e) {
            // Without a cause: of a start that fails, the innermost message is what is told.
            throw new IllegalArgumentException(
                    "trainer.store.signing-key names " + file + ", but no Ed25519 private key can be read from it ("
                            + (e instanceof GeneralSecurityException ? "the key is of another kind" : e.getMessage())
                            + "). Make one with 'openssl genpkey -algorithm ed25519 -out FILE', or leave the setting out"
                            + " to publish unsigned versions.");
        }
    }

    private static SigningKey of(byte[] pkcs8) throws GeneralSecurityException {
        return new SigningKey(KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(pkcs8)));
    }

    /** Writes the signature of the manifest that stands in a directory beside it. */
    @Override
    public void sign(Path directory) throws IOException {
        byte[] signature = signature(Files.readAllBytes(directory.resolve(Manifest.FILE)));
        Durable.write(directory.resolve(Manifest.SIGNATURE), Base64.getEncoder().encodeToString(signature) + "\n");
    }

    /** 64 bytes. */
    byte[] signature(byte[] message) {
        try {
            Signature signature = Signature.getInstance(ALGORITHM);
            signature.initSign(key);
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This Java cannot sign with " + ALGORITHM, e);
        }
    }
}
