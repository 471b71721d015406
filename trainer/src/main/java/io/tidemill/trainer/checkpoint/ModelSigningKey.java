package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;

/** Signs versions in the OpenSSF model-signing format, with an elliptic-curve key. It never shows its key. */
public final class ModelSigningKey implements VersionSigner {
    private final PrivateKey key;
    private final ModelVerifyingKey shown;

    private ModelSigningKey(PrivateKey key, ModelVerifyingKey shown) {
        this.key = key;
        this.shown = shown;
    }

    /**
     * Reads a private key on P-256, P-384 or P-521 in PKCS#8 PEM with its public half, as {@code openssl genpkey -algorithm EC}
     * writes it.
     *
     * @throws IllegalArgumentException if that is not what the file holds; says what to do
     */
    public static ModelSigningKey read(Path file) {
        try {
            byte[] pkcs8 = Pem.read(file, "PRIVATE KEY");
            PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            ModelSigningKey signing = new ModelSigningKey(key, ModelVerifyingKey.of(publicHalf(pkcs8)));
            byte[] message = {1, 2, 3};
            if (!signing.shown.verifies(message, signing.signature(message))) {
                throw new IOException("its public half belongs to another key");
            }
            return signing;
        } catch (IOException | GeneralSecurityException e) {
            // Without a cause: of a start that fails, the innermost message is what is told.
            throw new IllegalArgumentException("trainer.store.model-signing-key names " + file
                    + ", but no private key on P-256, P-384 or P-521 can be read from it ("
                    + (e instanceof GeneralSecurityException ? "the key is of another kind" : e.getMessage())
                    + "). Make one with 'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE', or"
                    + " leave the setting out to publish versions without " + ModelSignature.FILE + ".");
        }
    }

    /** SubjectPublicKeyInfo of what PKCS#8 (RFC 5208) has of it inside its ECPrivateKey (RFC 5915). */
    private static byte[] publicHalf(byte[] pkcs8) throws IOException {
        Der info = Der.read(pkcs8).get(0);
        Der algorithm = info.child(1, Der.SEQUENCE);
        Der inner = Der.read(info.child(2, Der.OCTET_STRING).content()).get(0);
        List<Der> fields = Der.read(inner.content());
        Der last = fields.get(fields.size() - 1);
        if (last.tag() != Der.CONTEXT_1) {
            throw new IOException("it does not have the public half of the key");
        }
        byte[] point = last.child(0, Der.BIT_STRING).encoded();
        byte[] kind = algorithm.encoded();
        byte[] content = new byte[kind.length + point.length];
        System.arraycopy(kind, 0, content, 0, kind.length);
        System.arraycopy(point, 0, content, kind.length, point.length);
        return new Der(Der.SEQUENCE, content).encoded();
    }

    /** Writes the signature of a version beside its manifest, which it covers too, with the signature of that if there is one. */
    @Override
    public void sign(Path directory) throws IOException {
        byte[] statement = ModelSignature.statement(directory);
        Durable.write(
                directory.resolve(ModelSignature.FILE),
                ModelSignature.bundle(statement, signature(ModelSignature.encoded(statement)), shown.fingerprint())
                        + "\n");
    }

    /** In DER. */
    private byte[] signature(byte[] message) {
        try {
            Signature signature = Signature.getInstance(shown.algorithm());
            signature.initSign(key);
            signature.update(message);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This Java cannot sign with " + shown.algorithm(), e);
        }
    }
}
