package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The keys are of OpenSSL, the fixtures' signatures of the OpenSSF's own program: bench/peers/model_signing_peer.py. */
class ModelSignatureTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> CURVES = List.of("P-256", "P-384", "P-521");

    @TempDir
    Path directory;

    private Path version;

    private static Path fixture(String name) {
        return KeyFiles.onCurve("P-256").secret().resolveSibling(name);
    }

    @BeforeEach
    void copyVersion() throws IOException {
        version = Files.createDirectory(directory.resolve("version"));
        try (Stream<Path> files = Files.list(fixture("version"))) {
            for (Path file : files.toList()) {
                Files.copy(file, version.resolve(file.getFileName().toString()));
            }
        }
    }

    private static VerifyingKey shown(String curve) {
        return VerifyingKey.read(KeyFiles.onCurve(curve).shown());
    }

    private static ModelSigningKey secret(String curve) {
        return ModelSigningKey.read(KeyFiles.onCurve(curve).secret());
    }

    private JsonNode signature() {
        try {
            return JSON.readTree(version.resolve(ModelSignature.FILE).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private JsonNode statement() throws IOException {
        return JSON.readTree(Base64.getDecoder()
                .decode(signature().at("/dsseEnvelope/payload").asText()));
    }

    private void sign(String curve) throws IOException {
        secret(curve).sign(version);
    }

    private void takeFixture(String curve) throws IOException {
        Files.copy(fixture(curve + ".sig"), version.resolve(ModelSignature.FILE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"P-256", "P-384", "P-521"})
    void whatTheOpenssfsProgramSignedHoldsForItsKeyAlone(String curve) throws IOException {
        takeFixture(curve);
        assertThat(shown(curve).flaw(version)).isEmpty();
        for (String other : CURVES) {
            if (!other.equals(curve)) {
                assertThat(shown(other).flaw(version)).hasValue("model.sig was made by another key");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"P-256", "P-384", "P-521"})
    void aStatementListsTheSameFilesUnderTheSameKeyAsThatOfTheOpenssfsProgram(String curve) throws IOException {
        takeFixture(curve);
        JsonNode bundle = signature();
        JsonNode statement = statement();
        sign(curve);
        assertThat(shown(curve).flaw(version)).isEmpty();
        assertThat(signature().at("/verificationMaterial")).isEqualTo(bundle.at("/verificationMaterial"));
        assertThat(signature().path("mediaType")).isEqualTo(bundle.path("mediaType"));
        assertThat(signature().at("/dsseEnvelope/payloadType")).isEqualTo(bundle.at("/dsseEnvelope/payloadType"));
        assertThat(statement().at("/predicate/resources")).isEqualTo(statement.at("/predicate/resources"));
        assertThat(statement().at("/subject/0/digest")).isEqualTo(statement.at("/subject/0/digest"));
        assertThat(statement().path("predicateType")).isEqualTo(statement.path("predicateType"));
        assertThat(statement().path("_type")).isEqualTo(statement.path("_type"));
        assertThat(statement().at("/subject/0/name").asText()).isEqualTo("tiny-000001");
        assertThat(statement().at("/predicate/serialization/ignore_paths"))
                .extracting(JsonNode::asText)
                .contains("model.sig", "state", "deltas");
    }

    @Test
    void theManifestAndItsSignatureAreCoveredToo() throws IOException {
        SigningKey.read(KeyFiles.write(directory.resolve("key")).secret()).sign(version);
        sign("P-256");
        assertThat(shown("P-256").flaw(version)).isEmpty();
        Path signature = version.resolve(Manifest.SIGNATURE);
        String before = Files.readString(signature);
        Files.writeString(signature, "changed\n");
        assertThat(shown("P-256").flaw(version))
                .hasValue("model.sig is not of these files: it differs in manifest.json.sig");
        Files.delete(signature);
        assertThat(shown("P-256").flaw(version))
                .hasValue("model.sig is not of these files: it differs in manifest.json.sig");
        Files.writeString(signature, before);
        Path manifest = version.resolve(Manifest.FILE);
        Files.writeString(
                manifest, Files.readString(manifest).replace("\"base\": \"embedded\"", "\"base\": \"other\""));
        assertThat(shown("P-256").flaw(version))
                .hasValue("model.sig is not of these files: it differs in manifest.json");
    }

    @Test
    void aFileThatCameIntoTheManifestAfterwardsIsNotCovered() throws IOException {
        sign("P-256");
        Path manifest = version.resolve(Manifest.FILE);
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replaceFirst(
                                "\"files\": \\[",
                                "\"files\": [{\"path\": \"adapter.json\", \"length\": \"1\", \"sha256\": \"00\"},"));
        assertThat(shown("P-256").flaw(version))
                .hasValue("model.sig is not of these files: it differs in adapter.json, manifest.json");
    }

    @Test
    void nothingOfWhatIsSignedCanBeChanged() throws IOException {
        sign("P-384");
        JsonNode whole = signature();
        byte[] payload =
                Base64.getDecoder().decode(whole.at("/dsseEnvelope/payload").asText());
        for (int i = 0; i < payload.length; i += 7) {
            byte[] changed = payload.clone();
            changed[i] ^= 1;
            change(
                    whole,
                    envelope -> envelope.put("payload", Base64.getEncoder().encodeToString(changed)));
            assertThat(shown("P-384").flaw(version)).as("byte %d", i).isPresent();
        }
        change(whole, envelope -> ((ObjectNode) envelope.path("signatures").path(0))
                .put("sig", Base64.getEncoder().encodeToString(new byte[] {1})));
        assertThat(shown("P-384").flaw(version))
                .hasValueSatisfying(flaw -> assertThat(flaw).contains("not this key's"));
    }

    private void change(JsonNode whole, Consumer<ObjectNode> how) throws IOException {
        ObjectNode changed = whole.deepCopy();
        how.accept((ObjectNode) changed.path("dsseEnvelope"));
        Files.writeString(version.resolve(ModelSignature.FILE), changed.toString());
    }

    @Test
    void whatIsNoSuchBundleIsToldWithTheReason() throws IOException {
        sign("P-256");
        ObjectNode whole = (ObjectNode) signature();
        Path file = version.resolve(ModelSignature.FILE);
        for (String text : new String[] {"", "no json", "{}", "[1]"}) {
            Files.writeString(file, text);
            assertThatThrownBy(() -> shown("P-256").flaw(version))
                    .as(text)
                    .isInstanceOf(DamagedFileException.class)
                    .hasMessageContaining("model.sig is no OpenSSF model signature");
        }
        change(whole, envelope -> envelope.put("payloadType", "text/plain"));
        assertThatThrownBy(() -> shown("P-256").flaw(version))
                .hasMessageContaining("its payloadType is 'text/plain' instead of 'application/vnd.in-toto+json'");
        change(whole, envelope -> ((ArrayNode) envelope.path("signatures")).addObject());
        assertThatThrownBy(() -> shown("P-256").flaw(version)).hasMessageContaining("it has 2 signatures instead of 1");
        change(whole, envelope -> envelope.put("payload", "é"));
        assertThatThrownBy(() -> shown("P-256").flaw(version)).hasMessageContaining("no base64");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Ed25519", "RSA"})
    void aKeyOfAnotherKindIsRefusedWithItsFileAndWhatToDo(String kind) throws NoSuchAlgorithmException {
        KeyFiles other = KeyFiles.write(
                directory.resolve(kind), KeyPairGenerator.getInstance(kind).generateKeyPair());
        assertThatThrownBy(() -> ModelSigningKey.read(other.secret()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("trainer.store.model-signing-key names " + other.secret())
                .hasMessageContaining("the key is of another kind")
                .hasMessageContaining("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE")
                .hasNoCause();
    }

    @Test
    void aPrivateKeyWithoutItsPublicHalfOrWithThatOfAnotherIsRefused() throws Exception {
        KeyFiles without = KeyFiles.write(
                directory.resolve("without"), KeyPairGenerator.getInstance("EC").generateKeyPair());
        assertThatThrownBy(() -> ModelSigningKey.read(without.secret()))
                .hasMessageContaining("it does not have the public half of the key");

        byte[] whole = Pem.read(fixture("P-256.pem"), "PRIVATE KEY");
        byte[] mixed = whole.clone();
        byte[] other = Pem.read(fixture("P-256.pub.pem"), "PUBLIC KEY");
        System.arraycopy(
                KeyPairGenerator.getInstance("EC").generateKeyPair().getPublic().getEncoded(),
                other.length - 65,
                mixed,
                mixed.length - 65,
                65);
        Path file = directory.resolve("mixed.pem");
        Files.writeString(
                file,
                "-----BEGIN PRIVATE KEY-----\n" + Base64.getEncoder().encodeToString(mixed)
                        + "\n-----END PRIVATE KEY-----\n");
        assertThatThrownBy(() -> ModelSigningKey.read(file)).hasMessageContaining("public half belongs to another key");
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            Files.writeString(
                    file,
                    "-----BEGIN PRIVATE KEY-----\n" + Base64.getEncoder().encodeToString(cut)
                            + "\n-----END PRIVATE KEY-----\n");
            assertThatThrownBy(() -> ModelSigningKey.read(file)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
