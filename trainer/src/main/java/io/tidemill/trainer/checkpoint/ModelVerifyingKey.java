package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.checkpoint.FileDigests;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.interfaces.ECPublicKey;
import java.util.Base64;
import java.util.Optional;

/** Tells whether a version was signed by the owner of a {@link ModelSigningKey}. */
final class ModelVerifyingKey extends VerifyingKey {
    private final ECPublicKey key;
    private final String algorithm;

    private ModelVerifyingKey(ECPublicKey key) throws GeneralSecurityException {
        this.key = key;
        int bits = key.getParams().getCurve().getField().getFieldSize();
        this.algorithm = switch (bits) {
            case 256 -> "SHA256withECDSA";
            case 384 -> "SHA384withECDSA";
            case 521 -> "SHA512withECDSA";
            default -> throw new GeneralSecurityException("There is no curve for it of " + bits + " bits");
        };
    }

    /** @param info SubjectPublicKeyInfo; Java has no curves of these sizes but those of NIST */
    static ModelVerifyingKey of(byte[] info) throws GeneralSecurityException {
        return new ModelVerifyingKey((ECPublicKey) key("EC", info));
    }

    /** ECDSA, with the hash that Sigstore has for the curve. */
    String algorithm() {
        return algorithm;
    }

    /** SHA-256 of the key in PEM, in hexadecimal: by it a signature says whose it is. */
    String fingerprint() {
        String pem = "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
        return FileDigests.sha256(pem.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    String signatureFile() {
        return ModelSignature.FILE;
    }

    @Override
    String covers() {
        return "all files of a reader";
    }

    @Override
    Optional<String> flaw(Path directory) throws IOException {
        ModelSignature signature = ModelSignature.read(directory);
        if (signature
                .fingerprint()
                .filter(other -> !other.equals(fingerprint()))
                .isPresent()) {
            return Optional.of(ModelSignature.FILE + " was made by another key");
        }
        return verifies(ModelSignature.encoded(signature.payload()), signature.signature())
                ? signature.differs(directory)
                : Optional.of(
                        ModelSignature.FILE + " is not this key's signature: another key signed, or it was changed");
    }

    boolean verifies(byte[] message, byte[] signature) {
        return verifies(key, algorithm, message, signature);
    }
}
