package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SigningKeyTest {
    @TempDir
    Path directory;

    private KeyFiles keys() {
        return KeyFiles.write(directory.resolve("key"));
    }

    /** RFC 8032, section 7.1: tests 1 to 3. */
    @ParameterizedTest
    @CsvSource({
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60,"
                + "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a, '',"
                + "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
                + "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb,"
                + "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c, 72,"
                + "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7,"
                + "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025, af82,"
                + "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    })
    void signaturesAreThoseOfTheStandard(String secret, String shown, String message, String signature) {
        KeyFiles keys = KeyFiles.write(directory.resolve("vector"), secret, shown);
        byte[] text = HexFormat.of().parseHex(message);
        byte[] expected = HexFormat.of().parseHex(signature);
        assertThat(SigningKey.read(keys.secret()).signature(text)).isEqualTo(expected);
        assertThat(((ManifestVerifyingKey) VerifyingKey.read(keys.shown())).verifies(text, expected))
                .isTrue();
    }

    @Test
    void aSignatureIsALineBesideTheManifestAndHoldsForItsBytesAlone() throws IOException {
        KeyFiles keys = keys();
        Path manifest = Files.writeString(directory.resolve(Manifest.FILE), "{\"format\": 1}\n");
        SigningKey.read(keys.secret()).sign(directory);

        Path signature = directory.resolve(Manifest.SIGNATURE);
        assertThat(Files.readString(signature)).matches("[A-Za-z0-9+/]{86}==\n");
        VerifyingKey key = VerifyingKey.read(keys.shown());
        assertThat(key.verifies(directory)).isTrue();
        assertThat(VerifyingKey.read(KeyFiles.write(directory.resolve("other")).shown())
                        .verifies(directory))
                .as("another key")
                .isFalse();

        byte[] whole = Files.readAllBytes(manifest);
        for (int i = 0; i < whole.length; i++) {
            byte[] changed = whole.clone();
            changed[i] ^= 1;
            Files.write(manifest, changed);
            assertThat(key.verifies(directory)).as("byte %d", i).isFalse();
        }
    }

    @Test
    void aDamagedSignatureIsNone() throws IOException {
        KeyFiles keys = keys();
        Files.writeString(directory.resolve(Manifest.FILE), "{}");
        SigningKey.read(keys.secret()).sign(directory);
        VerifyingKey key = VerifyingKey.read(keys.shown());
        Path file = directory.resolve(Manifest.SIGNATURE);
        String signature = Files.readString(file).strip();
        for (String damaged : new String[] {
            "",
            "no base64!",
            "é",
            signature.substring(4),
            signature + signature,
            (signature.charAt(0) == 'A' ? 'B' : 'A') + signature.substring(1)
        }) {
            Files.writeString(file, damaged);
            assertThat(key.verifies(directory)).as("'%s'", damaged).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ed448", "X25519", "RSA"})
    void aKeyOfAnotherKindIsRefusedWithItsFileAndWhatToDo(String kind) throws NoSuchAlgorithmException {
        KeyFiles other = KeyFiles.write(
                directory.resolve(kind), KeyPairGenerator.getInstance(kind).generateKeyPair());
        assertThatThrownBy(() -> SigningKey.read(other.secret()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(other.secret() + ", but no Ed25519 private key can be read from it")
                .hasMessageContaining("of another kind")
                .hasMessageContaining("openssl genpkey -algorithm ed25519 -out FILE")
                .hasNoCause();
        assertThatThrownBy(() -> VerifyingKey.read(other.shown()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(other.shown() + " (the key is of another kind)")
                .hasMessageContaining("openssl pkey -in SIGNING-KEY -pubout -out FILE");
    }

    @Test
    void whatIsNoKeyIsRefusedWithItsFileAndTheReason() throws IOException {
        KeyFiles keys = keys();
        assertThatThrownBy(() -> SigningKey.read(directory.resolve("absent")))
                .hasMessageContaining("trainer.store.signing-key names " + directory.resolve("absent"))
                .hasMessageContaining("there is no such file");
        assertThatThrownBy(() -> SigningKey.read(directory)).hasMessageContaining("names " + directory);
        assertThatThrownBy(() -> SigningKey.read(keys.shown()))
                .hasMessageContaining("it has no lines from 'BEGIN PRIVATE KEY'")
                .hasNoCause();
        assertThatThrownBy(() -> VerifyingKey.read(keys.secret()))
                .hasMessageContaining("it has no lines from 'BEGIN PUBLIC KEY'");

        Path cut = Files.writeString(
                directory.resolve("cut"), "-----BEGIN PRIVATE KEY-----\nMC4CA\n-----END PRIVATE KEY-----\n");
        assertThatThrownBy(() -> SigningKey.read(cut)).hasMessageContaining("is not base64");
    }

    /** Files of OpenSSL 3.0, and what its {@code pkeyutl -sign -rawin} says. */
    @Test
    void keysAndSignaturesAreThoseOfOpenssl() throws IOException {
        Path secret = Files.writeString(
                directory.resolve("key.pem"),
                """
                -----BEGIN PRIVATE KEY-----
                MC4CAQAwBQYDK2VwBCIEIGQ6YZ2aJFEW2qQ2yroIEy8fUQzaMyw2aFNVCqmZLUX6
                -----END PRIVATE KEY-----
                """);
        Path shown = Files.writeString(
                directory.resolve("key.pub"),
                """
                -----BEGIN PUBLIC KEY-----
                MCowBQYDK2VwAyEAdp1amX0YN71BaJF4WMK0qeiZjYeC1qINEbSEFQzco84=
                -----END PUBLIC KEY-----
                """);
        Files.writeString(directory.resolve(Manifest.FILE), "{}\n");
        SigningKey.read(secret).sign(directory);
        assertThat(directory.resolve(Manifest.SIGNATURE))
                .hasContent(
                        "gZnYdrduGRhkG3jmi9CufqY5l9ZmSLjbhJmnDz/Z66JFFPp3wJEZEq881xlIiZTCT4BdwFpAQMOU4dbvQn7ZAQ==\n");
        assertThat(VerifyingKey.read(shown).verifies(directory)).isTrue();
    }
}
