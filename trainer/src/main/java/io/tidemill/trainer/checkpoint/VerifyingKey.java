package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Optional;

/** Tells whether a version was signed by the owner of a {@link SigningKey}, or of a {@link ModelSigningKey}. */
public abstract class VerifyingKey {
    /**
     * Reads a public key in PEM (SubjectPublicKeyInfo), as {@code openssl pkey -pubout} writes it: Ed25519, which signs
     * manifests, or on P-256, P-384 or P-521, which signs in the OpenSSF format.
     *
     * @throws IllegalArgumentException if that is not what the file holds; says what to do
     */
    public static VerifyingKey read(Path file) {
        try {
            byte[] info = Pem.read(file, "PUBLIC KEY");
            try {
                return new ManifestVerifyingKey(key(SigningKey.ALGORITHM, info));
            } catch (GeneralSecurityException notEd25519) {
                return ModelVerifyingKey.of(info);
            }
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "No public key, Ed25519 or on P-256, P-384 or P-521, can be read from " + file + " ("
                            + (e instanceof GeneralSecurityException ? "the key is of another kind" : e.getMessage())
                            + "). 'openssl pkey -in SIGNING-KEY -pubout -out FILE' writes one.",
                    e);
        }
    }

    static PublicKey key(String algorithm, byte[] info) throws GeneralSecurityException {
        return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(info));
    }

    /** The file that would bear this key's signature. */
    abstract String signatureFile();

    /** What of a version the signature vouches for, in words. */
    abstract String covers();

    /** Why what stands beside the manifest in a directory is not this key's signature; empty if it is. */
    abstract Optional<String> flaw(Path directory) throws IOException;

    final boolean verifies(Path directory) throws IOException {
        return flaw(directory).isEmpty();
    }

    static boolean verifies(PublicKey key, String algorithm, byte[] message, byte[] signature) {
        try {
            Signature check = Signature.getInstance(algorithm);
            check.initVerify(key);
            check.update(message);
            return check.verify(signature);
        } catch (SignatureException notEvenASignature) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This Java cannot check " + algorithm, e);
        }
    }
}
