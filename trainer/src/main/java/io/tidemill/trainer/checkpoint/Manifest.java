package io.tidemill.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * {@code manifest.json}: what a version is and how it came about.
 *
 * @param event       as announced, without the digests of manifest and signatures
 * @param base        "embedded", or the Hugging Face directory that the lineage started from
 * @param quarantined what was refused for the second time with this version, and is passed over from now on
 * @param settings    in force when it was made; JSON
 * @param origin      machine and libraries; JSON
 * @param parentSha256 of the parent's manifest, so that a version vouches for all its ancestors; empty where there is no
 *                    parent, and in manifests of older programs
 */
public record Manifest(
        CheckpointEvent event,
        String base,
        Slice quarantined,
        JsonNode settings,
        JsonNode origin,
        String parentSha256) {
    public static final String FILE = "manifest.json";

    /** Stands beside it where versions are signed: base64 of the Ed25519 signature of the manifest's bytes, in a line. */
    public static final String SIGNATURE = "manifest.json.sig";

    /** What may vouch for a version and is in no manifest, because it covers it. */
    static final List<String> SIGNATURES = List.of(SIGNATURE, ModelSignature.FILE);

    /** Data directories of another number cannot be read. */
    public static final int FORMAT = 1;

    private static final ObjectMapper JSON = new ObjectMapper();

    public void write(Path directory) throws IOException {
        ObjectNode json = JSON.createObjectNode();
        json.put("format", FORMAT);
        json.set(
                "checkpoint",
                JSON.readTree(
                        JsonFormat.printer().alwaysPrintFieldsWithNoPresence().print(event)));
        json.put("base", base);
        json.set("quarantined", JSON.valueToTree(quarantined.ranges()));
        json.set("settings", settings);
        json.set("origin", origin);
        json.put("parent_manifest_sha256", parentSha256);
        Durable.write(
                directory.resolve(FILE), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
    }

    /** @throws DamagedFileException if it is no manifest any more */
    public static Manifest read(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        try {
            return read(file, Files.readAllBytes(file));
        } catch (JsonProcessingException | InvalidProtocolBufferException e) {
            throw new DamagedFileException(file + " is not as it was written: "
                    + e.getMessage().lines().findFirst().orElse("") + " Put it back from a copy.");
        }
    }

    private static Manifest read(Path file, byte[] content) throws IOException {
        JsonNode json = JSON.readTree(content);
        if (json.path("format").asInt() != FORMAT) {
            throw new IOException(file + " has format " + json.path("format") + ", but this program reads " + FORMAT
                    + ". Use the version of Tidemill that wrote it.");
        }
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder();
        JsonFormat.parser()
                .ignoringUnknownFields()
                .merge(json.path("checkpoint").toString(), event);
        return new Manifest(
                event.build(),
                json.path("base").asText(),
                new Slice(Arrays.asList(JSON.treeToValue(json.path("quarantined"), OffsetRange[].class))),
                json.path("settings"),
                json.path("origin"),
                json.path("parent_manifest_sha256").asText());
    }

    /** The event to announce: with the digests of manifest and signatures, if any, as they stand in that directory. */
    public CheckpointEvent announcement(Path directory) throws IOException {
        CheckpointEvent.Builder announced =
                event.toBuilder().addFiles(FileDigests.of(directory, directory.resolve(FILE)));
        for (String name : SIGNATURES) {
            Path signature = directory.resolve(name);
            if (Files.exists(signature)) {
                announced.addFiles(FileDigests.of(directory, signature));
            }
        }
        return announced.build();
    }
}
