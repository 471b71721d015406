package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/** Tells whether a manifest was signed by the owner of a {@link SigningKey}. */
public final class VerifyingKey {
    private final PublicKey key;

    private VerifyingKey(PublicKey key) {
        this.key = key;
    }

    /**
     * Reads an Ed25519 public key in PEM (SubjectPublicKeyInfo), as {@code openssl pkey -pubout} writes it.
     *
     * @throws IllegalArgumentException if that is not what the file holds; says what to do
     */
    public static VerifyingKey read(Path file) {
        try {
            byte[] info = Pem.read(file, "PUBLIC KEY");
            return new VerifyingKey(
                    KeyFactory.getInstance(SigningKey.ALGORITHM).generatePublic(new X509EncodedKeySpec(info)));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "No Ed25519 public key can be read from " + file + " ("
                            + (e instanceof GeneralSecurityException ? "the key is of another kind" : e.getMessage())
                            + "). 'openssl pkey -in SIGNING-KEY -pubout -out FILE' writes one.",
                    e);
        }
    }

    /** Is what stands beside the manifest in a directory this key's signature of it? */
    boolean verifies(Path directory) throws IOException {
        byte[] text = Files.readAllBytes(directory.resolve(Manifest.SIGNATURE));
        byte[] signature;
        try {
            signature = Base64.getDecoder().decode(new String(text, StandardCharsets.ISO_8859_1).strip());
        } catch (IllegalArgumentException notBase64) {
            return false;
        }
        return verifies(Files.readAllBytes(directory.resolve(Manifest.FILE)), signature);
    }

    boolean verifies(byte[] message, byte[] signature) {
        try {
            Signature check = Signature.getInstance(SigningKey.ALGORITHM);
            check.initVerify(key);
            check.update(message);
            return check.verify(signature);
        } catch (SignatureException notEvenASignature) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This Java cannot check " + SigningKey.ALGORITHM, e);
        }
    }
}
