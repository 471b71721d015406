package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.Base64;
import java.util.Optional;

/** Tells whether a manifest was signed by the owner of a {@link SigningKey}. */
final class ManifestVerifyingKey extends VerifyingKey {
    private final PublicKey key;

    ManifestVerifyingKey(PublicKey key) {
        this.key = key;
    }

    @Override
    String signatureFile() {
        return Manifest.SIGNATURE;
    }

    @Override
    String covers() {
        return Manifest.FILE;
    }

    @Override
    Optional<String> flaw(Path directory) throws IOException {
        byte[] text = Files.readAllBytes(directory.resolve(Manifest.SIGNATURE));
        byte[] signature;
        try {
            signature = Base64.getDecoder().decode(new String(text, StandardCharsets.ISO_8859_1).strip());
        } catch (IllegalArgumentException notBase64) {
            signature = new byte[0];
        }
        return verifies(Files.readAllBytes(directory.resolve(Manifest.FILE)), signature)
                ? Optional.empty()
                : Optional.of(Manifest.SIGNATURE + " is not this key's signature of " + Manifest.FILE
                        + ": another key signed, or one of the two files was changed");
    }

    boolean verifies(byte[] message, byte[] signature) {
        return verifies(key, SigningKey.ALGORITHM, message, signature);
    }
}
