package io.tidemill.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The OpenSSF model-signing format, version 1.0: {@code model.sig} is a Sigstore bundle (v0.3) of a DSSE envelope (v1) of an
 * in-toto statement (v1) that lists each file with its SHA-256. What a version has for its owner alone, or for the way to a
 * reader ({@code state/}, {@code deltas/}), is passed over by name, as {@code .git} is.
 *
 * @param payload     the statement's bytes
 * @param signature   of {@link #encoded} payload, in DER
 * @param fingerprint of the key that signed, as {@link ModelVerifyingKey#fingerprint}; empty where it is not told
 */
record ModelSignature(byte[] payload, byte[] signature, Optional<String> fingerprint) {
    static final String FILE = "model.sig";

    private static final String BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
    private static final String IN_TOTO = "application/vnd.in-toto+json";
    private static final String STATEMENT = "https://in-toto.io/Statement/v1";
    private static final String PREDICATE = "https://model_signing/signature/v1.0";
    private static final String SHA256 = "sha256";
    private static final List<String> PASSED_OVER =
            List.of(FILE, CheckpointStore.STATE, Deltas.DIRECTORY, ".git", ".gitattributes", ".github", ".gitignore");

    private static final ObjectMapper JSON = new ObjectMapper();

    // ---- writing ----------------------------------------------------------------------------------------------------

    /** What is to be signed of the version in a directory. */
    static byte[] statement(Path directory) throws IOException {
        Manifest manifest = Manifest.read(directory);
        SortedMap<String, String> files = files(directory, manifest);
        ObjectNode statement = JSON.createObjectNode();
        statement.put("_type", STATEMENT);
        statement
                .putArray("subject")
                .addObject()
                .put("name", manifest.event().getVersion())
                .putObject("digest")
                .put(SHA256, digestOfAll(files.values()));
        statement.put("predicateType", PREDICATE);
        ObjectNode predicate = statement.putObject("predicate");
        ObjectNode serialization = predicate.putObject("serialization");
        serialization.put("method", "files").put("hash_type", SHA256).put("allow_symlinks", false);
        PASSED_OVER.forEach(serialization.putArray("ignore_paths")::add);
        ArrayNode resources = predicate.putArray("resources");
        files.forEach((name, sha256) ->
                resources.addObject().put("name", name).put("algorithm", SHA256).put("digest", sha256));
        return JSON.writeValueAsBytes(statement);
    }

    /** What a reader's directory has, by name: what the manifest lists, the manifest itself, and its signature if there is one. */
    private static SortedMap<String, String> files(Path directory, Manifest manifest) throws IOException {
        SortedMap<String, String> files = new TreeMap<>();
        for (FileDigest file : manifest.announcement(directory).getFilesList()) {
            files.put(file.getPath(), file.getSha256());
        }
        files.remove(FILE);
        return files;
    }

    private static String digestOfAll(Iterable<String> digests) {
        return FileDigests.sha256(HexFormat.of().parseHex(String.join("", digests)));
    }

    /** DSSE's pre-authentication encoding: what is signed instead of the payload alone. */
    static byte[] encoded(byte[] payload) {
        byte[] head = ("DSSEv1 " + IN_TOTO.length() + " " + IN_TOTO + " " + payload.length + " ")
                .getBytes(StandardCharsets.UTF_8);
        byte[] all = new byte[head.length + payload.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(payload, 0, all, head.length, payload.length);
        return all;
    }

    static String bundle(byte[] payload, byte[] signature, String fingerprint) throws IOException {
        ObjectNode bundle = JSON.createObjectNode();
        bundle.put("mediaType", BUNDLE);
        ObjectNode material = bundle.putObject("verificationMaterial");
        material.putObject("publicKey").put("hint", fingerprint);
        material.putArray("tlogEntries");
        ObjectNode envelope = bundle.putObject("dsseEnvelope");
        envelope.put("payload", Base64.getEncoder().encodeToString(payload));
        envelope.put("payloadType", IN_TOTO);
        envelope.putArray("signatures")
                .addObject()
                .put("sig", Base64.getEncoder().encodeToString(signature))
                .put("keyid", "");
        return JSON.writeValueAsString(bundle);
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    /** @throws DamagedFileException if the file is no such bundle, signed with a key */
    static ModelSignature read(Path directory) throws IOException {
        JsonNode bundle = json(Files.readAllBytes(directory.resolve(FILE)));
        JsonNode envelope = bundle.path("dsseEnvelope");
        expect("mediaType", bundle.path("mediaType"), BUNDLE);
        expect("payloadType", envelope.path("payloadType"), IN_TOTO);
        if (envelope.path("signatures").size() != 1) {
            throw damaged("it has " + envelope.path("signatures").size() + " signatures instead of 1");
        }
        return new ModelSignature(
                bytes(envelope.path("payload")),
                bytes(envelope.path("signatures").path(0).path("sig")),
                Optional.of(bundle.path("verificationMaterial")
                                .path("publicKey")
                                .path("hint")
                                .asText())
                        .filter(hint -> !hint.isEmpty()));
    }

    /** What is signed, by name; asked once the signature was found to be right. */
    private Map<String, String> signed() throws IOException {
        JsonNode statement = json(payload);
        JsonNode predicate = statement.path("predicate");
        expect("_type", statement.path("_type"), STATEMENT);
        expect("predicateType", statement.path("predicateType"), PREDICATE);
        expect("method", predicate.path("serialization").path("method"), "files");
        SortedMap<String, String> files = new TreeMap<>();
        for (JsonNode resource : predicate.path("resources")) {
            expect("algorithm", resource.path("algorithm"), SHA256);
            String name = resource.path("name").asText();
            if (files.put(name, resource.path("digest").asText()) != null) {
                throw damaged("it lists " + name + " twice");
            }
        }
        return files;
    }

    /** In what the files that it covers are not those of the version in a directory; their contents the manifest tells. */
    Optional<String> differs(Path directory) throws IOException {
        Map<String, String> signed = signed();
        Map<String, String> there = files(directory, Manifest.read(directory));
        TreeMap<String, String> names = new TreeMap<>(signed);
        names.putAll(there);
        List<String> differing = names.keySet().stream()
                .filter(name -> !signed.getOrDefault(name, "").equals(there.get(name)))
                .toList();
        return differing.isEmpty()
                ? Optional.empty()
                : Optional.of(FILE + " is not of these files: it differs in " + String.join(", ", differing));
    }

    private static JsonNode json(byte[] text) throws IOException {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw damaged("it is no JSON");
        }
    }

    private static byte[] bytes(JsonNode base64) throws IOException {
        try {
            return Base64.getDecoder().decode(base64.asText());
        } catch (IllegalArgumentException e) {
            throw damaged("it has something that is no base64");
        }
    }

    private static void expect(String name, JsonNode found, String expected) throws IOException {
        if (!found.asText().equals(expected)) {
            throw damaged("its " + name + " is '" + found.asText() + "' instead of '" + expected + "'");
        }
    }

    private static DamagedFileException damaged(String how) {
        return new DamagedFileException(
                FILE + " is no OpenSSF model signature that can be checked with a key: " + how + ".");
    }
}
